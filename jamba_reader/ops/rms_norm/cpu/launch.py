"""Root-mean-square normalisation in numba, forward and backward: threads share the rows."""

from typing import no_type_check

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from jamba_reader.ops.machine.memory import (
    FLOAT32,
    load_at,
    memory_kind,
    parts_of,
    rounded,
    store_at,
)
from jamba_reader.ops.machine.scalar_math import fma
from spider.compilation import njit


def forward(
    x: Float[Tensor, "tokens width"],
    residual: Float[Tensor, "tokens width"] | None,
    weight: Float[Tensor, " width"],
    eps: float,
) -> tuple[Float[Tensor, "tokens width"], Float[Tensor, "tokens width"]]:
    """Return the normalised rows of x, or of x + residual, and what was normalised."""
    y = torch.empty(x.shape, dtype=x.dtype)
    total = x if residual is None else torch.empty(x.shape, dtype=x.dtype)
    rows, width = x.shape
    parts = parts_of(y.numel())
    (_forward if parts == 1 else _forward_parallel)(
        0,
        parts,
        memory_kind(x.dtype),
        x.data_ptr(),
        x.stride(0),
        0 if residual is None else residual.data_ptr(),
        0 if residual is None else residual.stride(0),
        weight.data_ptr(),
        eps,
        rows,
        width,
        y.data_ptr(),
        total.data_ptr(),
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
    d_x = torch.empty(total.shape, dtype=total.dtype)
    parts = parts_of(d_x.numel())
    d_weights = torch.zeros((parts, width), dtype=torch.float32)
    (_backward if parts == 1 else _backward_parallel)(
        0,
        parts,
        memory_kind(total.dtype),
        d_y.data_ptr(),
        d_y.stride(0),
        0 if d_total is None else d_total.data_ptr(),
        0 if d_total is None else d_total.stride(0),
        total.data_ptr(),
        total.stride(0),
        weight.data_ptr(),
        eps,
        rows,
        width,
        d_x.data_ptr(),
        d_weights.data_ptr(),
    )
    return d_x, d_weights.sum(0).to(weight.dtype)


@njit(nogil=True, error_model="numpy")
@no_type_check
def _inverse_root_mean_square(kind, x, offset, residual, beside, eps, values, total, to):
    """Widen a row, or the sum of two, into ``values``; return what normalises it."""
    width = len(values)
    if residual == 0:
        for c in range(width):
            values[c] = load_at(kind, x, offset + c)
    else:
        for c in range(width):
            value = load_at(kind, x, offset + c) + load_at(kind, residual, beside + c)
            value = rounded(kind, value)
            store_at(kind, total, to + c, value)
            values[c] = value
    mean = _sum_of_squares(values) / np.float32(width)
    return np.float32(1) / np.sqrt(mean + np.float32(eps))


# Sums in lanes; without this permission to reorder, a sum is one scalar addition after another.
# The loop writes nothing: a loop that does is compiled twice, and which of the two runs, so in
# which order it adds, depends on how near the operands lie in memory.
@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
@no_type_check
def _sum_of_squares(values):
    squares = np.float32(0)
    for c in range(len(values)):
        squares += values[c] * values[c]
    return squares


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
@no_type_check
def _dot(kind, d_y, offset, weight, values):
    total = np.float32(0)
    for c in range(len(values)):
        gradient = load_at(kind, d_y, offset + c) * load_at(kind, weight, c)
        total += gradient * values[c]
    return total


@njit(nogil=True, error_model="numpy")
@no_type_check
def _scale_row(kind, values, inverse, weight, y, to):
    for c in range(len(values)):
        normal = rounded(kind, values[c] * inverse)
        store_at(kind, y, to + c, load_at(kind, weight, c) * normal)


@njit(nogil=True, error_model="numpy")
@no_type_check
def _forward(
    part,
    parts,
    kind,
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
):
    values = np.empty(width, np.float32)
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        inverse = _inverse_root_mean_square(
            kind,
            x,
            row * x_stride,
            residual,
            row * residual_stride,
            eps,
            values,
            total,
            row * width,
        )
        _scale_row(kind, values, inverse, weight, y, row * width)


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def _forward_parallel(_, parts, *operands):
    for part in prange(parts):
        _forward(part, parts, *operands)


@njit(nogil=True, error_model="numpy")
@no_type_check
def _add_weight_gradient(kind, d_y, offset, values, inverse, total):
    for c in range(len(values)):
        normal = rounded(kind, values[c] * inverse)
        total[c] = fma(load_at(kind, d_y, offset + c), normal, total[c])


@njit(nogil=True, error_model="numpy")
@no_type_check
def _store_gradient(kind, d_y, offset, d_total, beside, values, weight, inverse, slope, d_x, to):
    """Store inverse * (weight * d_y - x * slope), plus what comes past the normalisation."""
    if d_total == 0:
        for c in range(len(values)):
            gradient = load_at(kind, d_y, offset + c) * load_at(kind, weight, c)
            store_at(kind, d_x, to + c, inverse * fma(values[c], -slope, gradient))
        return
    for c in range(len(values)):
        gradient = load_at(kind, d_y, offset + c) * load_at(kind, weight, c)
        gradient = fma(values[c], -slope, gradient)
        store_at(kind, d_x, to + c, fma(inverse, gradient, load_at(kind, d_total, beside + c)))


@njit(nogil=True, error_model="numpy")
@no_type_check
def _backward(
    part,
    parts,
    kind,
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
    d_x,
    d_weights,
):
    d_weight = np.zeros(width, np.float32)
    values = np.empty(width, np.float32)
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        inverse = _inverse_root_mean_square(kind, x, row * x_stride, 0, 0, eps, values, 0, 0)
        offset, beside = row * d_y_stride, row * d_total_stride
        slope = _dot(kind, d_y, offset, weight, values) * inverse * inverse / np.float32(width)
        _add_weight_gradient(kind, d_y, offset, values, inverse, d_weight)
        _store_gradient(
            kind, d_y, offset, d_total, beside, values, weight, inverse, slope, d_x, row * width
        )
    for c in range(width):
        store_at(FLOAT32, d_weights, part * width + c, d_weight[c])


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def _backward_parallel(_, parts, *operands):
    for part in prange(parts):
        _backward(part, parts, *operands)
