"""Steps of the convolution on one row of a tile of channels, for the numba kernels.

Scratch arrays are written by ``store`` and read by plain indexing, or the other way about, never
both by ``load`` and ``store`` (see ``jamba_reader.ops.machine.memory``).
"""

from typing import no_type_check

import numpy as np

from jamba_reader.ops.activation import GELU, SILU
from jamba_reader.ops.machine.memory import load, load_at, raw_at, store, store_at
from jamba_reader.ops.machine.scalar_math import fma, gelu, gelu_gradient, silu, silu_gradient
from spider.compilation import njit

TILE = 512
"""Channels at a time: their taps and rows stay in the first-level cache."""


@njit(nogil=True, error_model="numpy")
@no_type_check
def channels_of(part, parts, channels):
    """First and last channel of a part; whole cache lines, so that threads share none."""
    lines = (channels + 31) // 32
    return min(channels, lines * part // parts * 32), min(
        channels, lines * (part + 1) // parts * 32
    )


@njit(nogil=True, error_model="numpy")
@no_type_check
def fill_taps(element, weight, bias, width, first, n, taps):
    """Bring the taps of a tile of channels, oldest first, and then the bias into rows."""
    for column in range(n):
        for tap in range(width):
            taps[tap, column] = load_at(element, weight, (first + column) * width + tap)
    for column in range(n):
        taps[width, column] = np.float32(0)
    if bias != 0:
        for column in range(n):
            taps[width, column] = load_at(element, bias, first + column)


@njit(nogil=True, error_model="numpy")
@no_type_check
def begin_extended(
    element, x, x_stride, start, length, history, sequence, past, channels, first, n, extended
):
    """Write the first extended rows: the history, then at most as many inputs."""
    for row in range(past):
        if history == 0:
            extended[row, :n] = element
        else:
            source = (sequence * past + row) * channels + first
            for column in range(n):
                extended[row, column] = raw_at(element, history, source + column)
    for row in range(min(past, length)):
        source = (start + row) * x_stride + first
        for column in range(n):
            extended[past + row, column] = raw_at(element, x, source + column)


@njit(nogil=True, error_model="numpy")
@no_type_check
def store_final(
    element, x, x_stride, start, length, extended, sequence, past, channels, first, n, final
):
    """Store the last ``past`` extended rows of a sequence as its history for the next call."""
    for row in range(past):
        target = (sequence * past + row) * channels + first
        if length >= past:
            source = (start + length - past + row) * x_stride + first
            for column in range(n):
                store_at(element, final, target + column, load_at(element, x, source + column))
        else:
            for column in range(n):
                store_at(element, final, target + column, load(extended, length + row, column))


@njit(nogil=True, error_model="numpy")
@no_type_check
def sum_taps(element, source, stride, row, first, taps, width, n, sums, target):
    """Write bias plus taps times the source's rows from ``row`` on; before the activation."""
    offset = row * stride + first
    if width == 4:
        for c in range(n):
            total = fma(load_at(element, source, offset + c), load(taps, 0, c), load(taps, 4, c))
            total = fma(load_at(element, source, offset + stride + c), load(taps, 1, c), total)
            total = fma(load_at(element, source, offset + 2 * stride + c), load(taps, 2, c), total)
            total = fma(load_at(element, source, offset + 3 * stride + c), load(taps, 3, c), total)
            store(sums, target, c, total)
        return
    for c in range(n):
        store(sums, target, c, load(taps, width, c))
    for tap in range(width):
        for c in range(n):
            value = load_at(element, source, offset + tap * stride + c)
            store(sums, target, c, fma(value, load(taps, tap, c), sums[target, c]))


@njit(nogil=True, error_model="numpy")
@no_type_check
def sum_four_rows(element, source, stride, row, first, taps, n, sums):
    """Do ``sum_taps`` for four rows and width 4, each input and tap loaded once; sums[0] to [3]."""
    o = row * stride + first
    for c in range(n):
        w0, w1, w2 = load(taps, 0, c), load(taps, 1, c), load(taps, 2, c)
        w3, bias = load(taps, 3, c), load(taps, 4, c)
        x0, x1 = load_at(element, source, o + c), load_at(element, source, o + stride + c)
        x2, x3 = (
            load_at(element, source, o + 2 * stride + c),
            load_at(element, source, o + 3 * stride + c),
        )
        x4, x5 = (
            load_at(element, source, o + 4 * stride + c),
            load_at(element, source, o + 5 * stride + c),
        )
        x6 = load_at(element, source, o + 6 * stride + c)
        store(sums, 0, c, fma(x3, w3, fma(x2, w2, fma(x1, w1, fma(x0, w0, bias)))))
        store(sums, 1, c, fma(x4, w3, fma(x3, w2, fma(x2, w1, fma(x1, w0, bias)))))
        store(sums, 2, c, fma(x5, w3, fma(x4, w2, fma(x3, w1, fma(x2, w0, bias)))))
        store(sums, 3, c, fma(x6, w3, fma(x5, w2, fma(x4, w1, fma(x3, w0, bias)))))


@njit(nogil=True, error_model="numpy")
@no_type_check
def activate_row(element, sums, row, n, y, offset, code):
    """Store the activation of a row of sums."""
    values = sums[row]
    if code == SILU:
        for c in range(n):
            store_at(element, y, offset + c, silu(values[c]))
    elif code == GELU:
        for c in range(n):
            store_at(element, y, offset + c, gelu(values[c]))
    else:
        for c in range(n):
            store_at(element, y, offset + c, values[c])


@njit(nogil=True, error_model="numpy")
@no_type_check
def scale_by_activation_gradient(element, sums, row, n, dy, offset, code):
    """Replace a row of sums by the gradient with respect to them."""
    values = sums[row]
    if code == SILU:
        for c in range(n):
            values[c] = load_at(element, dy, offset + c) * silu_gradient(values[c])
    elif code == GELU:
        for c in range(n):
            values[c] = load_at(element, dy, offset + c) * gelu_gradient(values[c])
    else:
        for c in range(n):
            values[c] = load_at(element, dy, offset + c)


@njit(nogil=True, error_model="numpy")
@no_type_check
def add_products(element, source, stride, row, first, d_sums, d_row, width, n, d_taps):
    """Add to the gradients of the taps and the bias what one output row gives."""
    gradient = d_sums[d_row]
    for tap in range(width):
        total = d_taps[tap]
        offset = (row + tap) * stride + first
        for c in range(n):
            total[c] = fma(gradient[c], load_at(element, source, offset + c), total[c])
    total = d_taps[width]
    for c in range(n):
        total[c] += gradient[c]


@njit(nogil=True, error_model="numpy")
@no_type_check
def gather_gradient(element, d_sums, row, taps, width, n, d_final, final_offset, target, offset):
    """Store the gradient of one extended row: what the outputs it reaches give, and d_final."""
    newest = d_sums[row]
    total = d_sums[0]
    for c in range(n):
        total[c] = newest[c] * load(taps, 0, c)
    for tap in range(1, width):
        gradient = d_sums[row - tap]
        for c in range(n):
            total[c] = fma(gradient[c], load(taps, tap, c), total[c])
    if d_final != 0:
        for c in range(n):
            total[c] += load_at(element, d_final, final_offset + c)
    for c in range(n):
        store_at(element, target, offset + c, total[c])
