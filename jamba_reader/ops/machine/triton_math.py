"""The activations and their derivatives for Triton kernels, on float32 values."""

from typing import no_type_check

import triton
import triton.language as tl

# the numbers of jamba_reader.ops.activation; kernels can read no other kind of global
SILU = tl.constexpr(1)
GELU = tl.constexpr(2)


@triton.jit
@no_type_check
def sigmoid(x):
    """1 / (1 + e**-x), with no exponential that could overflow."""
    decay = tl.exp(-tl.abs(x))
    return tl.where(x >= 0, 1.0, decay) / (1.0 + decay)


@triton.jit
@no_type_check
def activate(x, CODE: tl.constexpr):  # noqa: N803
    """Apply the activation of this number."""
    if CODE == SILU:
        x = x * sigmoid(x)
    elif CODE == GELU:
        x = x * (0.5 + 0.5 * tl.erf(x * 0.7071067811865476))
    return x


@triton.jit
@no_type_check
def activation_gradient(x, CODE: tl.constexpr):  # noqa: N803
    """Differentiate the activation of this number."""
    gradient = tl.full(x.shape, 1.0, tl.float32)
    if CODE == SILU:
        above = sigmoid(x)
        gradient = above + x * above * sigmoid(-x)
    elif CODE == GELU:
        # the bell is 0 beyond, and infinity times 0 is not a number
        held = tl.minimum(tl.maximum(x, -14.0), 14.0)
        bell = tl.exp(-0.5 * held * held) * 0.3989422804014327
        gradient = 0.5 + 0.5 * tl.erf(x * 0.7071067811865476) + held * bell
    return gradient
