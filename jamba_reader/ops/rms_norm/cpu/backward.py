"""Gradients of root-mean-square normalisation in numba: threads share the rows."""

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.machine.memory import (
    AS_FLOAT32,
    load_at,
    rounded,
    store_at,
)
from jamba_reader.ops.machine.scalar_math import fma
from jamba_reader.ops.rms_norm.cpu.rows import inverse_root_mean_square
from spider.compilation import njit


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
@no_type_check
def _dot(element, d_y, offset, weight, values):
    total = np.float32(0)
    for c in range(len(values)):
        gradient = load_at(element, d_y, offset + c) * load_at(element, weight, c)
        total += gradient * values[c]
    return total


@njit(nogil=True, error_model="numpy")
@no_type_check
def _add_weight_gradient(element, d_y, offset, values, inverse, total):
    for c in range(len(values)):
        normal = rounded(element, values[c] * inverse)
        total[c] = fma(load_at(element, d_y, offset + c), normal, total[c])


@njit(nogil=True, error_model="numpy")
@no_type_check
def _store_gradient(element, d_y, offset, d_total, beside, values, weight, inverse, slope, d_x, to):
    """Store inverse * (weight * d_y - x * slope), plus what comes past the normalisation."""
    if d_total == 0:
        for c in range(len(values)):
            gradient = load_at(element, d_y, offset + c) * load_at(element, weight, c)
            store_at(element, d_x, to + c, inverse * fma(values[c], -slope, gradient))
        return
    for c in range(len(values)):
        gradient = load_at(element, d_y, offset + c) * load_at(element, weight, c)
        gradient = fma(values[c], -slope, gradient)
        store_at(
            element, d_x, to + c, fma(inverse, gradient, load_at(element, d_total, beside + c))
        )


@njit(nogil=True, error_model="numpy")
@no_type_check
def differentiate(
    part,
    parts,
    element,
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
    """Differentiate one part of the rows; operands as ``launch.backward`` passes them."""
    d_weight = np.zeros(width, np.float32)
    values = np.empty(width, np.float32)
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        inverse = inverse_root_mean_square(element, x, row * x_stride, 0, 0, eps, values, 0, 0)
        offset, beside = row * d_y_stride, row * d_total_stride
        slope = _dot(element, d_y, offset, weight, values) * inverse * inverse / np.float32(width)
        _add_weight_gradient(element, d_y, offset, values, inverse, d_weight)
        _store_gradient(
            element, d_y, offset, d_total, beside, values, weight, inverse, slope, d_x, row * width
        )
    for c in range(width):
        store_at(AS_FLOAT32, d_weights, part * width + c, d_weight[c])


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def differentiate_in_parallel(_, parts, *operands):
    """Do every part, on as many threads."""
    for part in prange(parts):
        differentiate(part, parts, *operands)
