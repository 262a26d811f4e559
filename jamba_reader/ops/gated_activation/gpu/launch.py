"""The gated activation in Triton, forward and backward: one program per row and column block."""

from typing import no_type_check

import torch
import triton
import triton.language as tl
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.machine.triton_math import activate, activation_gradient


def forward(
    gate_up: Float[Tensor, "tokens gate_and_up"], code: int
) -> Float[Tensor, "tokens intermediate"]:
    """Return the activated gate times up.

    Args:
        gate_up: gate columns, then as many up columns.
        code: number of the activation.
    """
    rows, width = gate_up.shape[0], gate_up.shape[1] // 2
    y = torch.empty((rows, width), dtype=gate_up.dtype, device=gate_up.device)
    if y.numel():
        block = min(1024, triton.next_power_of_2(width))
        _forward[(rows, triton.cdiv(width, block))](
            gate_up, gate_up.stride(0), width, y, CODE=code, BLOCK=block
        )
    return y


def backward(
    d_y: Float[Tensor, "tokens intermediate"],
    gate_up: Float[Tensor, "tokens gate_and_up"],
    code: int,
) -> Float[Tensor, "tokens gate_and_up"]:
    """Return the gradient of ``gate_up``."""
    rows, width = d_y.shape
    d_gate_up = torch.empty(gate_up.shape, dtype=gate_up.dtype, device=gate_up.device)
    if d_y.numel():
        block = min(1024, triton.next_power_of_2(width))
        _backward[(rows, triton.cdiv(width, block))](
            d_y,
            d_y.stride(0),
            gate_up,
            gate_up.stride(0),
            width,
            d_gate_up,
            CODE=code,
            BLOCK=block,
        )
    return d_gate_up


@triton.jit
@no_type_check
def _forward(
    gate_up,
    stride,
    width,
    y,
    CODE: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
):
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    source = gate_up + row * stride + column
    gate = tl.load(source, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(source + width, mask=inside, other=0.0).to(tl.float32)
    tl.store(y + row * width + column, activate(gate, CODE) * up, mask=inside)


@triton.jit
@no_type_check
def _backward(
    d_y,
    d_y_stride,
    gate_up,
    stride,
    width,
    d_gate_up,
    CODE: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
):
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    source = gate_up + row * stride + column
    gate = tl.load(source, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(source + width, mask=inside, other=0.0).to(tl.float32)
    gradient = tl.load(d_y + row * d_y_stride + column, mask=inside, other=0.0).to(tl.float32)
    target = d_gate_up + row * 2 * width + column
    tl.store(target, gradient * up * activation_gradient(gate, CODE), mask=inside)
    tl.store(target + width, gradient * activate(gate, CODE), mask=inside)
