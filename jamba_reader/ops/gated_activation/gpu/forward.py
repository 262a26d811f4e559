"""The gated activation in Triton: one program per row and block of columns."""

from typing import no_type_check

import triton
import triton.language as tl

from jamba_reader.ops.machine.triton_math import activate


@triton.jit
@no_type_check
def forward_kernel(
    gate_up,
    stride,
    width,
    y,
    CODE: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
):
    """Write the activated gate times up, for one row and one block of columns."""
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    source = gate_up + row * stride + column
    gate = tl.load(source, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(source + width, mask=inside, other=0.0).to(tl.float32)
    tl.store(y + row * width + column, activate(gate, CODE) * up, mask=inside)
