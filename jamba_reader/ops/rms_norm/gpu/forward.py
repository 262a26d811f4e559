"""Root-mean-square normalisation in Triton: a program holds whole rows, several if narrow."""

from typing import no_type_check

import triton
import triton.language as tl


@triton.jit
@no_type_check
def forward_kernel(
    x,
    x_stride,
    residual,
    residual_stride,
    weight,
    eps,
    rows,
    width,
    y,
    total,
    ADDS: tl.constexpr,  # noqa: N803
    ROWS: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
):
    """Normalise a block of rows, or the sums of two blocks."""
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)[:, None]
    column = tl.arange(0, BLOCK)[None, :]
    inside = (row < rows) & (column < width)
    dtype = y.dtype.element_ty
    values = tl.load(x + row * x_stride + column, mask=inside, other=0.0).to(tl.float32)
    if ADDS:
        beside = tl.load(residual + row * residual_stride + column, mask=inside, other=0.0)
        values = (values + beside.to(tl.float32)).to(dtype)
        tl.store(total + row * width + column, values, mask=inside)
        values = values.to(tl.float32)
    mean_square = tl.sum(values * values, axis=1)[:, None] / width
    normal = (values * tl.rsqrt(mean_square + eps)).to(dtype).to(tl.float32)
    scale = tl.load(weight + column, mask=column < width, other=0.0).to(tl.float32)
    tl.store(y + row * width + column, (scale * normal).to(dtype), mask=inside)
