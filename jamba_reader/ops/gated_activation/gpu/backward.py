"""Gradients of the gated activation in Triton: one program per row and block of columns."""

from typing import no_type_check

import triton
import triton.language as tl

from jamba_reader.ops.machine.triton_math import activate, activation_gradient


@triton.jit
@no_type_check
def backward_kernel(
    d_y,
    d_y_stride,
    gate_up,
    stride,
    width,
    d_gate_up,
    CODE: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
):
    """Write the gradients of gate and up, for one row and one block of columns."""
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
