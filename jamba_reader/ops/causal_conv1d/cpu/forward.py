"""The convolution in numba: a tile of channels at a time, row by row.

Threads share the channels and never a sum, so results do not depend on their number, nor on where
a sequence is cut: every output is the same chain of fused multiplications and additions, oldest
tap first. "Extended" rows are a sequence's inputs with its history before them.
"""

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.causal_conv1d.cpu.rows import (
    TILE,
    activate_row,
    begin_extended,
    channels_of,
    fill_taps,
    store_final,
    sum_four_rows,
    sum_taps,
)
from jamba_reader.ops.machine.memory import integer_at
from spider.compilation import njit


@njit(nogil=True, error_model="numpy")
@no_type_check
def convolve(
    part,
    parts,
    element,
    weight_element,
    x,
    x_stride,
    weight,
    bias,
    width,
    history,
    starts,
    sequences,
    channels,
    y,
    final,
    code,
):
    """Convolve one part of the channels; operands as ``cpu.forward`` passes them."""
    begin, end = channels_of(part, parts, channels)
    past = width - 1
    taps = np.empty((width + 1, TILE), np.float32)
    sums = np.empty((4, TILE), np.float32)
    extended = np.full((2 * past, TILE), element)
    for first in range(begin, end, TILE):
        n = min(TILE, end - first)
        fill_taps(weight_element, weight, bias, width, first, n, taps)
        for sequence in range(sequences):
            start = integer_at(starts, sequence)
            length = integer_at(starts, sequence + 1) - start
            begin_extended(
                element,
                x,
                x_stride,
                start,
                length,
                history,
                sequence,
                past,
                channels,
                first,
                n,
                extended,
            )
            row = 0
            while row < length:
                count = 1
                if row < past:
                    sum_taps(element, extended.ctypes.data, TILE, row, 0, taps, width, n, sums, 0)
                elif width == 4 and row + 4 <= length:
                    count = 4
                    sum_four_rows(element, x, x_stride, start + row - past, first, taps, n, sums)
                else:
                    sum_taps(
                        element, x, x_stride, start + row - past, first, taps, width, n, sums, 0
                    )
                for k in range(count):
                    activate_row(element, sums, k, n, y, (start + row + k) * channels + first, code)
                row += count
            store_final(
                element,
                x,
                x_stride,
                start,
                length,
                extended,
                sequence,
                past,
                channels,
                first,
                n,
                final,
            )


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def convolve_in_parallel(_, parts, *operands):
    """Do every part, on as many threads."""
    for part in prange(parts):
        convolve(part, parts, *operands)
