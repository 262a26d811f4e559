"""Root-mean-square normalisation in numba: threads share the rows."""

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.machine.memory import (
    load_at,
    rounded,
    store_at,
)
from jamba_reader.ops.rms_norm.cpu.rows import inverse_root_mean_square
from spider.compilation import njit


@njit(nogil=True, error_model="numpy")
@no_type_check
def _scale_row(element, values, inverse, weight, y, to):
    for c in range(len(values)):
        normal = rounded(element, values[c] * inverse)
        store_at(element, y, to + c, load_at(element, weight, c) * normal)


@njit(nogil=True, error_model="numpy")
@no_type_check
def normalise(
    part,
    parts,
    element,
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
    """Normalise one part of the rows; operands as ``launch.forward`` passes them."""
    values = np.empty(width, np.float32)
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        inverse = inverse_root_mean_square(
            element,
            x,
            row * x_stride,
            residual,
            row * residual_stride,
            eps,
            values,
            total,
            row * width,
        )
        _scale_row(element, values, inverse, weight, y, row * width)


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def normalise_in_parallel(_, parts, *operands):
    """Do every part, on as many threads."""
    for part in prange(parts):
        normalise(part, parts, *operands)
