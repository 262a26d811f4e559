"""Root-mean-square normalisation in Triton: a program holds whole rows, several if narrow."""

from typing import no_type_check

import torch
import triton
import triton.language as tl
from jaxtyping import Float
from torch import Tensor

ELEMENTS = 4096
"""Elements that a program holds at a time, unless one row is more."""

PROGRAMS = 528
"""Of the backward pass, each with its own sum of the weight's gradient; 4 for each of 132 SMs."""


def forward(
    x: Float[Tensor, "tokens width"],
    residual: Float[Tensor, "tokens width"] | None,
    weight: Float[Tensor, " width"],
    eps: float,
) -> tuple[Float[Tensor, "tokens width"], Float[Tensor, "tokens width"]]:
    """Return the normalised rows of x, or of x + residual, and what was normalised."""
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    total = x if residual is None else torch.empty_like(y)
    rows, width = x.shape
    if y.numel():
        block_rows, block, warps = _blocks(rows, width)
        _forward[(triton.cdiv(rows, block_rows),)](
            x,
            x.stride(0),
            residual,
            0 if residual is None else residual.stride(0),
            weight,
            eps,
            rows,
            width,
            y,
            total,
            ADDS=residual is not None,
            ROWS=block_rows,
            BLOCK=block,
            num_warps=warps,
        )
    return y, total


def backward(
    d_y: Float[Tensor, "tokens width"],
    d_total: Float[Tensor, "tokens width"] | None,
    total: Float[Tensor, "tokens width"],
    weight: Float[Tensor, " width"],
    eps: float,
) -> tuple[Float[Tensor, "tokens width"], Float[Tensor, " width"]]:
    """Return the gradients of what was normalised and of the weight.

    Args:
        d_y: gradient of the normalised rows.
        d_total: gradient that reaches what was normalised past the normalisation.
        total: what was normalised.
        weight: scale of each column.
        eps: added to the mean square.
    """
    rows, width = total.shape
    d_x = torch.empty(total.shape, dtype=total.dtype, device=total.device)
    if not d_x.numel():
        return d_x, torch.zeros_like(weight)
    block_rows, block, warps = _blocks(rows, width)
    programs = min(PROGRAMS, triton.cdiv(rows, block_rows))
    d_weights = torch.empty((programs, width), dtype=torch.float32, device=total.device)
    _backward[(programs,)](
        d_y,
        d_y.stride(0),
        d_total,
        0 if d_total is None else d_total.stride(0),
        total,
        total.stride(0),
        weight,
        eps,
        rows,
        width,
        programs,
        d_x,
        d_weights,
        ADDS=d_total is not None,
        ROWS=block_rows,
        BLOCK=block,
        num_warps=warps,
    )
    return d_x, d_weights.sum(0).to(weight.dtype)


def _blocks(rows: int, width: int) -> tuple[int, int, int]:
    """Return the rows and columns of a program's tile, and its warps."""
    block = triton.next_power_of_2(width)
    block_rows = min(max(1, ELEMENTS // block), triton.next_power_of_2(rows))
    return block_rows, block, min(16, max(1, block_rows * block // 512))


@triton.jit
@no_type_check
def _forward(
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


@triton.jit
@no_type_check
def _backward(
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
    column = tl.arange(0, BLOCK)[None, :]
    dtype = d_x.dtype.element_ty
    scale = tl.load(weight + column, mask=column < width, other=0.0).to(tl.float32)
    d_weight = tl.zeros((ROWS, BLOCK), tl.float32)
    block = tl.program_id(0)
    # not range: the interpreter's does not take run-time bounds with this numpy
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
