"""Statistics of one row, for the numba kernels of the normalisation."""

from typing import no_type_check

import numpy as np

from jamba_reader.ops.machine.memory import (
    load_at,
    rounded,
    store_at,
)
from spider.compilation import njit


@njit(nogil=True, error_model="numpy")
@no_type_check
def inverse_root_mean_square(element, x, offset, residual, beside, eps, values, total, to):
    """Widen a row, or the sum of two, into ``values``; return what normalises it."""
    width = len(values)
    if residual == 0:
        for c in range(width):
            values[c] = load_at(element, x, offset + c)
    else:
        for c in range(width):
            value = load_at(element, x, offset + c) + load_at(element, residual, beside + c)
            value = rounded(element, value)
            store_at(element, total, to + c, value)
            values[c] = value
    mean = _sum_of_squares(values) / np.float32(width)
    return np.float32(1) / np.sqrt(mean + np.float32(eps))


# Sums in lanes; without this permission to reorder, a sum is one scalar addition after another.
# The loop writes nothing: a loop that writes is compiled twice. Which of the two runs, and so the
# order of its additions, depends on how near the operands lie in memory.
@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
@no_type_check
def _sum_of_squares(values):
    squares = np.float32(0)
    for c in range(len(values)):
        squares += values[c] * values[c]
    return squares
