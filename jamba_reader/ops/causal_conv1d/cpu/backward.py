"""Gradients of the convolution in numba: a tile of channels at a time, blocks of rows.

Sums before the activation are recomputed, so the forward pass keeps only its inputs. The gradient
of an extended row (an input, or a row of history) is what the next ``width`` outputs give it; those
past the end of the sequence give nothing, the final history does instead.
"""

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.causal_conv1d.cpu.rows import (
    TILE,
    add_products,
    begin_extended,
    channels_of,
    fill_taps,
    gather_gradient,
    scale_by_activation_gradient,
    sum_taps,
)
from jamba_reader.ops.machine.memory import AS_FLOAT32, integer_at, store_at
from spider.compilation import njit

ROWS = 32
"""Extended rows at a time."""


@njit(nogil=True, error_model="numpy")
@no_type_check
def _store_block(
    element,
    d_sums,
    block,
    rows,
    taps,
    width,
    n,
    start,
    length,
    sequence,
    channels,
    first,
    d_final,
    d_x,
    d_history,
):
    """Store the gradients of a block's extended rows, to the inputs or to the history."""
    past = width - 1
    for k in range(rows):
        row = block + k
        target, offset = d_x, (start + row - past) * channels + first
        if row < past:
            target, offset = d_history, (sequence * past + row) * channels + first
        from_final = d_final if row >= length else 0
        later = (sequence * past + row - length) * channels + first
        gather_gradient(
            element, d_sums, 1 + past + k, taps, width, n, from_final, later, target, offset
        )


@njit(nogil=True, error_model="numpy")
@no_type_check
def differentiate(
    part,
    parts,
    element,
    weight_element,
    d_y,
    d_y_stride,
    d_final,
    x,
    x_stride,
    weight,
    bias,
    width,
    history,
    starts,
    sequences,
    channels,
    d_x,
    d_history,
    d_taps,
    code,
):
    """Differentiate one part of the channels; operands as ``cpu.backward`` passes them."""
    begin, end = channels_of(part, parts, channels)
    past = width - 1
    taps = np.empty((width + 1, TILE), np.float32)
    extended = np.full((2 * past, TILE), element)
    # row 0 is for sums; then the ``past`` rows before a block, and the block
    d_sums = np.empty((1 + past + ROWS, TILE), np.float32)
    for first in range(begin, end, TILE):
        n = min(TILE, end - first)
        fill_taps(weight_element, weight, bias, width, first, n, taps)
        total = np.zeros((width + 1, TILE), np.float32)
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
            d_sums[1 : 1 + past] = np.float32(0)
            for block in range(0, length + past, ROWS):
                rows = min(ROWS, length + past - block)
                for k in range(rows):
                    row, to = block + k, 1 + past + k
                    if row >= length:
                        d_sums[to] = np.float32(0)
                        continue
                    source, stride, top, left = x, x_stride, start + row - past, first
                    if row < past:
                        source, stride, top, left = extended.ctypes.data, TILE, row, 0
                    sum_taps(element, source, stride, top, left, taps, width, n, d_sums, to)
                    offset = (start + row) * d_y_stride + first
                    scale_by_activation_gradient(element, d_sums, to, n, d_y, offset, code)
                    add_products(element, source, stride, top, left, d_sums, to, width, n, total)
                _store_block(
                    element,
                    d_sums,
                    block,
                    rows,
                    taps,
                    width,
                    n,
                    start,
                    length,
                    sequence,
                    channels,
                    first,
                    d_final,
                    d_x,
                    d_history,
                )
                for k in range(past):
                    d_sums[1 + k] = d_sums[1 + rows + k]
        for tap in range(width + 1):
            for column in range(n):
                store_at(AS_FLOAT32, d_taps, tap * channels + first + column, total[tap, column])


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def differentiate_in_parallel(_, parts, *operands):
    """Do every part, on as many threads."""
    for part in prange(parts):
        differentiate(part, parts, *operands)
