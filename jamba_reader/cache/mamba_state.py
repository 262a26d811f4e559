"""The state of Mamba layers between calls, and marks to roll back to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from jaxtyping import Float, Float32
from torch import Tensor

_serials = count()


@dataclass
class MambaState:
    """The state of one Mamba layer for several sequences.

    Attributes:
        state: state of the selective scan after the last token; float32, or float64 in a float64
            model.
        history: the last inputs of the causal convolution, oldest first.
    """

    state: Float32[Tensor, "sequences channels states"] | Float[Tensor, "sequences channels states"]
    history: Float[Tensor, "sequences window channels"]


@dataclass(frozen=True, eq=False)
class Mark:
    """A point of one cache to roll back to: token counts and a copy of the Mamba states.

    Keys and values are not copied; they stay in the cache until a rollback.
    """

    lengths: tuple[int, ...]
    mamba: Mapping[int, MambaState]
    serial: int = field(default_factory=_serials.__next__)


def copied(mamba: Mapping[int, MambaState]) -> dict[int, MambaState]:
    """Return copies of the states, which later calls do not change."""
    return {
        layer: MambaState(old.state.clone(), old.history.clone()) for layer, old in mamba.items()
    }
