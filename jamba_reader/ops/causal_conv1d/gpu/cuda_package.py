"""The package ``causal-conv1d``, for the cases that it does: one sequence, on CUDA, with silu.

It differentiates by itself, through initial and final states too.
"""

from functools import cache
from importlib.util import find_spec

import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.activation import ActivationName
from jamba_reader.ops.segments import Segments

_DTYPES = (torch.float32, torch.float16, torch.bfloat16)


@cache
def is_installed() -> bool:
    """Return whether the package can be imported; looks without importing it."""
    return find_spec("causal_conv1d") is not None


def does(x: Tensor, weight: Tensor, segments: Segments, activation: ActivationName | None) -> bool:
    """Return whether the package is there and does this case (its alignment rules included)."""
    channels, width = weight.shape
    return (
        is_installed()
        and activation in (None, "silu")
        and 2 <= width <= 4
        and len(segments) == 1
        and segments.total >= width
        and channels % 8 == 0
        and x.stride(1) == 1
        and x.stride(0) % 8 == 0
        and x.dtype in _DTYPES
    )


def causal_conv1d(
    x: Float[Tensor, "tokens channels"],
    weight: Float[Tensor, "channels width"],
    bias: Float[Tensor, " channels"] | None,
    history: Float[Tensor, "1 width-1 channels"] | None,
    activation: ActivationName | None,
) -> tuple[Float[Tensor, "tokens channels"], Float[Tensor, "1 width-1 channels"]]:
    """Convolve one sequence as ``reference.causal_conv1d`` does.

    Args:
        x: inputs.
        weight: taps, oldest first.
        bias: added to every output.
        history: inputs before the first; zeros if None.
        activation: applied to the output.
    """
    from causal_conv1d import causal_conv1d_fn

    y, final = causal_conv1d_fn(
        x[None].transpose(1, 2),
        weight,
        bias,
        initial_states=None if history is None else history.transpose(1, 2),
        return_final_states=True,
        activation=activation,
    )
    return y[0].t(), final.transpose(1, 2)
