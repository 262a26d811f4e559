"""Rounding of rows to int8 in numba: two passes over a row that stays in the cache."""

from typing import no_type_check

import numpy as np
import torch
from numba import prange

from jamba_reader.ops.machine.memory import load
from jamba_reader.ops.row_quantisation.operands import LARGEST
from spider.compilation import njit

_TINY = np.float32(torch.finfo(torch.float32).tiny)
# adding and subtracting it rounds to the nearest integer, halves to even
_ROUNDER = np.float32(1.5 * 2**23)


@njit(parallel=True, error_model="numpy")
@no_type_check
def quantise(numbers, bits, values, scale, parts):
    """Write integers and scales; return whether all numbers are finite."""
    rows, columns = numbers.shape
    finite = np.ones(parts, dtype=np.bool_)
    for part in prange(parts):
        for row in range(part * rows // parts, (part + 1) * rows // parts):
            largest = _largest_magnitude(bits, row)
            if not np.isfinite(largest):
                finite[part] = False
            step = largest / np.float32(LARGEST)
            if step < _TINY:
                step = np.float32(1)
            scale[row] = step
            for column in range(columns):
                number = load(numbers, row, column) / step
                number = (number + _ROUNDER) - _ROUNDER
                number = min(max(number, np.float32(-LARGEST)), np.float32(LARGEST))
                values[row, column] = np.int8(number)
    return finite.all()


@njit
@no_type_check
def _largest_magnitude(bits, row):
    """Without their sign, floats are ordered as their bits are; infinities and NaN come last."""
    sign = bits.dtype.type(1 << (8 * bits.itemsize - 1))
    top = bits.dtype.type(0)
    for column in range(bits.shape[1]):
        top = max(top, bits[row, column] & ~sign)
    # bfloat16 is the upper half of a float32
    wide = np.array([np.uint32(top) << np.uint32(32 - 8 * bits.itemsize)], dtype=np.uint32)
    return wide.view(np.float32)[0]
