"""Gradients of root-mean-square normalisation in Triton."""

from typing import no_type_check

import triton
import triton.language as tl


@triton.jit
@no_type_check
def backward_kernel(
    d_y,
    d_y_stride,
    d_total,
    d_total_stride,
    x,
    x_stride,
    weight,
    eps,
    rows,
    width,
    programs,
    d_x,
    d_weights,
    ADDS: tl.constexpr,  # noqa: N803
    ROWS: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
):
    """Write the gradients of some blocks of rows, and their share of the weight's gradient."""
    column = tl.arange(0, BLOCK)[None, :]
    dtype = d_x.dtype.element_ty
    scale = tl.load(weight + column, mask=column < width, other=0.0).to(tl.float32)
    d_weight = tl.zeros((ROWS, BLOCK), tl.float32)
    block = tl.program_id(0)
    # not range: with this numpy, the interpreter's range takes no run-time bounds
    while block * ROWS < rows:
        row = (block * ROWS + tl.arange(0, ROWS)).to(tl.int64)[:, None]
        inside = (row < rows) & (column < width)
        values = tl.load(x + row * x_stride + column, mask=inside, other=0.0).to(tl.float32)
        gradient = tl.load(d_y + row * d_y_stride + column, mask=inside, other=0.0).to(tl.float32)
        inverse = tl.rsqrt(tl.sum(values * values, axis=1)[:, None] / width + eps)
        normal = values * inverse
        d_weight += gradient * normal.to(dtype).to(tl.float32)
        gradient = gradient * scale
        slope = tl.sum(gradient * normal, axis=1)[:, None] / width
        gradient = inverse * (gradient - normal * slope)
        if ADDS:
            past = tl.load(d_total + row * d_total_stride + column, mask=inside, other=0.0)
            gradient += past.to(tl.float32)
        tl.store(d_x + row * width + column, gradient.to(dtype), mask=inside)
        block += programs
    target = d_weights + tl.program_id(0).to(tl.int64) * width + column
    tl.store(target, tl.sum(d_weight, axis=0)[None, :], mask=column < width)
