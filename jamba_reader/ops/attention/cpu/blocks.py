"""What the decode kernels do with one block of keys, in numba.

Memory is given by address: see ``lanes``. Matrices of this module have rows of ``width`` float32,
the head's size rounded up to whole lanes with zeros behind it; weights of a block are rows of
``BLOCK`` float32, one per query head. The query heads of a group are rounded up to a multiple of
``TILE``, as many as share each load.
"""

from typing import no_type_check

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from spider.compilation import njit
from spider.kernels.lane_math import exp2, exp2_or_zero
from spider.kernels.lanes import (
    LANES_BYTES,
    WIDTH,
    broadcast,
    fma,
    lanes,
    load,
    load_bfloat16,
    load_scalar,
    load_scalar_bfloat16,
    maximum,
    store,
    store_scalar,
    sum_of_lanes,
)

BLOCK = 32
BLOCK_BYTES = 4 * BLOCK
TILE = 4
LOWEST = np.float32(-3e38)
"""Initial value of maxima: minus infinity minus itself would be NaN."""
_ABSENT = np.float32(-np.inf)
"""Score of a row that is not there: its weight is 0 even if all others are minus infinity."""


@intrinsic
@no_type_check
def _max_of_lanes(typing_context, value):
    """The largest of sixteen numbers."""

    def generate(context, builder, kind, operands):
        top, width = operands[0], WIDTH
        while width > 1:
            width //= 2
            places = [ir.Constant(ir.IntType(32), min(i + width, WIDTH - 1)) for i in range(WIDTH)]
            order = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), places)
            other = builder.shuffle_vector(top, top, order)
            top = builder.select(builder.fcmp_ordered(">", other, top), other, top)
        return builder.extract_element(top, ir.Constant(ir.IntType(32), 0))

    return types.float32(lanes), generate


@njit
@no_type_check
def widened(place, stride, item_size, head_dim, width, rows, scratch):
    """Return address and stride of ``rows`` rows as float32, copied only where they are not."""
    if item_size == 4 and width == head_dim:
        return place, stride
    whole = head_dim // WIDTH * WIDTH
    for row in range(rows):
        source = place + row * stride
        target = scratch + row * width * 4
        for d in range(0, whole, WIDTH):
            if item_size == 4:
                store(target + 4 * d, load(source + 4 * d))
            else:
                store(target + 4 * d, load_bfloat16(source + 2 * d))
        for d in range(whole, head_dim):
            if item_size == 4:
                store_scalar(target + 4 * d, load_scalar(source + 4 * d))
            else:
                store_scalar(target + 4 * d, load_scalar_bfloat16(source + 2 * d))
    return scratch, width * 4


@njit(error_model="numpy")
@no_type_check
def products(queries, heads, matrix, stride, rows, width, weights):
    """``weights[head, row] = queries[head] · matrix[row]``."""
    row_bytes = 4 * width
    zero = broadcast(np.float32(0))
    for head in range(0, heads, TILE):
        query = queries + head * row_bytes
        target = weights + head * BLOCK_BYTES
        for row in range(rows):
            a = b = c = d = zero
            source = matrix + row * stride
            for offset in range(0, row_bytes, LANES_BYTES):
                key = load(source + offset)
                a = fma(key, load(query + offset), a)
                b = fma(key, load(query + row_bytes + offset), b)
                c = fma(key, load(query + 2 * row_bytes + offset), c)
                d = fma(key, load(query + 3 * row_bytes + offset), d)
            store_scalar(target + 4 * row, sum_of_lanes(a))
            store_scalar(target + BLOCK_BYTES + 4 * row, sum_of_lanes(b))
            store_scalar(target + 2 * BLOCK_BYTES + 4 * row, sum_of_lanes(c))
            store_scalar(target + 3 * BLOCK_BYTES + 4 * row, sum_of_lanes(d))


@njit(error_model="numpy")
@no_type_check
def add_weighted_rows(weights, decays, heads, matrix, stride, rows, width, sums):
    """``sums[head] = decays[head] * sums[head] + Σ weights[head, row] * matrix[row]``.

    A decay is sixteen equal numbers.
    """
    row_bytes = 4 * width
    for head in range(0, heads, TILE):
        weight = weights + head * BLOCK_BYTES
        decay = decays + head * LANES_BYTES
        for offset in range(0, row_bytes, LANES_BYTES):
            target = sums + head * row_bytes + offset
            a = load(target) * load(decay)
            b = load(target + row_bytes) * load(decay + LANES_BYTES)
            c = load(target + 2 * row_bytes) * load(decay + 2 * LANES_BYTES)
            d = load(target + 3 * row_bytes) * load(decay + 3 * LANES_BYTES)
            for row in range(rows):
                value = load(matrix + row * stride + offset)
                place = weight + 4 * row
                a = fma(broadcast(load_scalar(place)), value, a)
                b = fma(broadcast(load_scalar(place + BLOCK_BYTES)), value, b)
                c = fma(broadcast(load_scalar(place + 2 * BLOCK_BYTES)), value, c)
                d = fma(broadcast(load_scalar(place + 3 * BLOCK_BYTES)), value, d)
            store(target, a)
            store(target + row_bytes, b)
            store(target + 2 * row_bytes, c)
            store(target + 3 * row_bytes, d)


@njit(error_model="numpy")
@no_type_check
def exponentiate(scores, heads, rows, tops, totals, decays):
    """Turn a block's scores into ``2**(score - top)``; move each head's maximum and sum on.

    Leaves in ``decays`` what earlier sums have to be multiplied by.
    """
    for head in range(heads):
        place = scores + head * BLOCK_BYTES
        for row in range(rows, BLOCK):
            store_scalar(place + 4 * row, _ABSENT)
        first, second = load(place), load(place + LANES_BYTES)
        old = load_scalar(tops + 4 * head)
        top = max(old, _max_of_lanes(maximum(first, second)))
        decay = exp2(broadcast(old - top))
        first = exp2_or_zero(first - broadcast(top))
        second = exp2_or_zero(second - broadcast(top))
        store(place, first)
        store(place + LANES_BYTES, second)
        store(decays + head * LANES_BYTES, decay)
        total = load_scalar(totals + 4 * head) * load_scalar(decays + head * LANES_BYTES)
        store_scalar(totals + 4 * head, total + sum_of_lanes(first + second))
        store_scalar(tops + 4 * head, top)


@njit(error_model="numpy")
@no_type_check
def score_gradients(weights, gradients, heads, rows, logs, deltas, factor):
    """Turn scores into softmax weights p, and ``gradients`` of p into those of the scores.

    dscore = factor · p · (dp - delta), zero behind the last row.
    """
    for head in range(heads):
        place = weights + head * BLOCK_BYTES
        target = gradients + head * BLOCK_BYTES
        for row in range(rows, BLOCK):
            store_scalar(place + 4 * row, LOWEST)
            store_scalar(target + 4 * row, np.float32(0))
        log = broadcast(load_scalar(logs + 4 * head))
        delta = broadcast(load_scalar(deltas + 4 * head))
        for offset in range(0, BLOCK_BYTES, LANES_BYTES):
            power = exp2(load(place + offset) - log)
            store(place + offset, power)
            change = (load(target + offset) - delta) * power
            store(target + offset, change * broadcast(factor))


@njit(error_model="numpy")
@no_type_check
def spread_to_rows(weights, heads, queries, rows, width, target):
    """``target[row] = Σ weights[head, row] * queries[head]``."""
    row_bytes = 4 * width
    for row in range(rows):
        for offset in range(0, row_bytes, LANES_BYTES):
            total = broadcast(np.float32(0))
            for head in range(heads):
                weight = broadcast(load_scalar(weights + head * BLOCK_BYTES + 4 * row))
                total = fma(weight, load(queries + head * row_bytes + offset), total)
            store(target + row * row_bytes + offset, total)
