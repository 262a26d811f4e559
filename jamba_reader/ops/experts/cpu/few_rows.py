"""Experts with few rows in numba, as while generating: only the chosen weights are read, once."""

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.activation import SILU
from jamba_reader.ops.linear.cpu.few_rows import scale_at
from jamba_reader.ops.machine.products import INPUTS, OUTPUTS, sums_on_stack, tile_products
from jamba_reader.ops.machine.rows import FLOAT32, Matrix, Rows, bytes_of, rounded_to, write_one
from jamba_reader.ops.machine.scalar_math import gelu, silu
from spider.compilation import njit
from spider.kernels.lanes import copy_bytes, load_scalar


@njit(error_model="numpy")
@no_type_check
def gate_tile(gate, up, tile, values, first, last, activation, kind, inner):
    """Write eight columns of ``act(values @ gate.T) * (values @ up.T)`` for some rows.

    Args:
        gate: a ``Matrix``.
        up: a ``Matrix`` of its shape.
        tile: which eight of their rows.
        values: ``Rows``, the inputs.
        first: the first of the rows.
        last: the row behind the last of them.
        activation: the activation of the gate.
        kind: what the products are rounded to before they meet.
        inner: ``Rows``, as many as of the values.
    """
    gates, ups = sums_on_stack(), sums_on_stack()
    column = tile * OUTPUTS
    for start in range(first, last, INPUTS):
        count = min(INPUTS, last - start)
        tile_products(gate, column, values, start, count, gates)
        tile_products(up, column, values, start, count, ups)
        for n in range(min(OUTPUTS, gate.rows - column)):
            gate_scale, up_scale = scale_at(gate, column + n), scale_at(up, column + n)
            for i in range(count):
                place = 4 * (i * OUTPUTS + n)
                opened = rounded_to(kind, load_scalar(gates + place) * gate_scale)
                value = rounded_to(kind, load_scalar(ups + place) * up_scale)
                value *= silu(opened) if activation == SILU else gelu(opened)
                write_one(inner.address, (start + i) * inner.stride + column + n, inner.kind, value)


@njit(error_model="numpy")
@no_type_check
def matrix_in_stack(stack, scales, index, rows, columns, kind):
    """One matrix of a stack of them, and its scales."""
    scale = scales + 4 * rows * index if scales != 0 else 0
    return Matrix(stack + bytes_of(kind) * rows * columns * index, rows, columns, kind, scale)


@njit(error_model="numpy")
@no_type_check
def _in_pairs(values, tokens, columns):
    """Copy the input of every pair; memory that holds them."""
    size = bytes_of(values.kind)
    copies = np.empty(len(tokens) * columns * size, np.uint8)
    for pair, token in enumerate(tokens):
        copy_bytes(
            copies.ctypes.data + pair * columns * size,
            values.address + token * values.stride * size,
            columns * size,
        )
    return copies


@njit(error_model="numpy")
@no_type_check
def return_tile(down, tile, inner, first, last, tokens, shares, total):
    """Add eight columns of what one expert returns for its pairs."""
    sums = sums_on_stack()
    column = tile * OUTPUTS
    for start in range(first, last, INPUTS):
        count = min(INPUTS, last - start)
        tile_products(down, column, inner, start, count, sums)
        for n in range(min(OUTPUTS, down.rows - column)):
            scale = scale_at(down, column + n)
            for i in range(count):
                value = load_scalar(sums + 4 * (i * OUTPUTS + n)) * scale
                total[tokens[start + i], column + n] += value * shares[start + i]


@njit(parallel=True, nogil=True, error_model="numpy")
@no_type_check
def experts_few_rows(weights, values, tokens, shares, offsets, limit, activation, total):
    """Add to ``total`` what the experts with at most ``limit`` rows return.

    Sums are taken in the experts' order, whatever the number of threads.

    Args:
        weights: the addresses of all experts' gate_up, its scales, down and its scales (0 for
            none), the intermediate size, and the kind of the weights.
        values: ``Rows``, one per token.
        tokens: row of the values of each pair, pairs sorted by expert.
        shares: routing weight of each pair.
        offsets: first pair of each expert, and their number.
        limit: rows up to which this is the fastest way.
        activation: the activation of the gate.
        total: float32, a row per token.
    """
    gate_up, gate_up_scale, down, down_scale, width, kind = weights
    value_kind = values.kind
    hidden = total.shape[1]
    counts = offsets[1:] - offsets[:-1]
    chosen = np.nonzero((counts > 0) & (counts <= limit))[0]
    copies = _in_pairs(values, tokens, hidden)
    inner = np.empty(len(tokens) * width * bytes_of(value_kind), np.uint8)
    tiles = (width + OUTPUTS - 1) // OUTPUTS
    for task in prange(len(chosen) * tiles):
        expert = chosen[task // tiles]
        gate_tile(
            matrix_in_stack(gate_up, gate_up_scale, 2 * expert, width, hidden, kind),
            matrix_in_stack(gate_up, gate_up_scale, 2 * expert + 1, width, hidden, kind),
            task % tiles,
            Rows(copies.ctypes.data, hidden, value_kind),
            offsets[expert],
            offsets[expert + 1],
            activation,
            FLOAT32,
            Rows(inner.ctypes.data, width, value_kind),
        )
    for tile in prange((hidden + OUTPUTS - 1) // OUTPUTS):
        for expert in chosen:
            return_tile(
                matrix_in_stack(down, down_scale, expert, hidden, width, kind),
                tile,
                Rows(inner.ctypes.data, width, value_kind),
                offsets[expert],
                offsets[expert + 1],
                tokens,
                shares,
                total,
            )
