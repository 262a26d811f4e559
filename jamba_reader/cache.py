"""What a model remembers of each sequence: the state that makes chunked reading exact.

Attention layers keep keys and values of every token; Mamba layers a float32 state and the last
inputs of their convolution, whatever the length. A call reads the cache, every layer leaves its
new state in it, and ``advance`` counts the tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32
from torch import Tensor

from jamba_reader.config import JambaConfig
from jamba_reader.key_value_memory import KeyValueMemory
from jamba_reader.segments import Segments


@dataclass
class MambaState:
    """State of one Mamba layer for several sequences.

    Attributes:
        state: of the selective scan after the last token; always float32.
        history: the last inputs of the causal convolution, oldest first.
    """

    state: Float32[Tensor, "sequences channels states"] | Float[Tensor, "sequences channels states"]
    history: Float[Tensor, "sequences window channels"]


@dataclass(frozen=True)
class Mark:
    """A place to roll back to: token counts and a copy of the Mamba states."""

    lengths: tuple[int, ...]
    mamba: Mapping[int, MambaState]


class Cache:
    """State of all layers for several sequences.

    Attributes:
        mamba: state of each Mamba layer by its index in the model; assigned by the layers.
        memories: keys and values of each attention layer by its index in the model.
        lengths: tokens seen of each sequence.
    """

    def __init__(
        self,
        mamba: Mapping[int, MambaState],
        memories: Mapping[int, KeyValueMemory],
        lengths: Sequence[int],
    ):
        self.mamba = dict(mamba)
        self.memories = dict(memories)
        self.lengths = list(lengths)

    @classmethod
    def empty(
        cls,
        config: JambaConfig,
        sequences: int,
        *,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
        capacity: int = 0,
    ) -> "Cache":
        """Return a cache that has seen nothing.

        Args:
            config: shape of the model.
            sequences: how many it holds.
            dtype: of keys, values and convolution inputs: the model's.
            device: where.
            capacity: tokens of each sequence to make room for at once.
        """
        state_dtype = torch.promote_types(torch.float32, dtype)
        mamba, memories = {}, {}
        for layer, mixer in enumerate(config.mixers):
            if mixer == "mamba":
                channels = config.inner_size
                state = (sequences, channels, config.mamba_d_state)
                history = (sequences, config.mamba_d_conv - 1, channels)
                mamba[layer] = MambaState(
                    torch.zeros(state, dtype=state_dtype, device=device),
                    torch.zeros(history, dtype=dtype, device=device),
                )
            else:
                memories[layer] = KeyValueMemory.empty(
                    sequences,
                    config.num_key_value_heads,
                    config.head_dim,
                    dtype=dtype,
                    device=device,
                    capacity=capacity,
                )
        return cls(mamba, memories, [0] * sequences)

    @property
    def sequences(self) -> int:
        """How many sequences it holds."""
        return len(self.lengths)

    def layer(self, index: int) -> MambaState | KeyValueMemory:
        """Return what the layer of this index left."""
        return self.memories[index] if index in self.memories else self.mamba[index]

    def set_layer(self, index: int, state: MambaState | KeyValueMemory) -> None:
        """Keep what the layer of this index leaves."""
        if isinstance(state, KeyValueMemory):
            self.memories[index] = state
        else:
            self.mamba[index] = state

    def advance(self, segments: Segments) -> None:
        """Count a call's tokens, once every layer has taken them."""
        self.lengths = [
            length + more for length, more in zip(self.lengths, segments.lengths, strict=True)
        ]

    def reserve(self, tokens: int) -> None:
        """Make room for ``tokens`` of each sequence, so that no copy is needed up to there."""
        for memory in self.memories.values():
            memory.reserve(tokens)

    def select(self, indices: Sequence[int]) -> None:
        """Keep these sequences, in this order; one may be left out or come several times."""
        self.lengths = [self.lengths[index] for index in indices]
        for layer, memory in self.memories.items():
            self.memories[layer] = memory.select(indices)
        for layer, old in self.mamba.items():
            rows = torch.tensor(list(indices), dtype=torch.int64, device=old.state.device)
            self.mamba[layer] = MambaState(
                old.state.index_select(0, rows), old.history.index_select(0, rows)
            )

    def fork(self) -> "Cache":
        """Return a copy that goes its own way."""
        twin = Cache(self.mamba, self.memories, self.lengths)
        twin.select(range(self.sequences))
        return twin

    def mark(self) -> Mark:
        """Return the place reached, to come back to with ``rollback``."""
        return Mark(tuple(self.lengths), _copied(self.mamba))

    def rollback(self, mark: Mark) -> None:
        """Forget every token after ``mark``."""
        self.lengths = list(mark.lengths)
        self.mamba = _copied(mark.mamba)
        for memory in self.memories.values():
            memory.truncate(mark.lengths)

    def detach(self) -> None:
        """Let no gradient flow into the tokens seen so far (truncated back-propagation)."""
        for memory in self.memories.values():
            memory.detach()
        for layer, old in self.mamba.items():
            self.mamba[layer] = MambaState(old.state.detach(), old.history.detach())

    def nbytes(self) -> int:
        """Bytes that its tensors hold, room not yet used included."""
        tensors = [t for memory in self.memories.values() for t in (memory.keys, memory.values)]
        tensors += [t for old in self.mamba.values() for t in (old.state, old.history)]
        return sum(tensor.nbytes for tensor in tensors)


def _copied(mamba: Mapping[int, MambaState]) -> dict[int, MambaState]:
    return {
        layer: MambaState(old.state.clone(), old.history.clone()) for layer, old in mamba.items()
    }
