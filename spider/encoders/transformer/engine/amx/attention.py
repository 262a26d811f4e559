"""Attention of one sequence, head by head: both products by tiles, the softmax in between.

Queries are scaled beforehand, so that scores are exponents of two. Keys and values are packed once
for each head. 32 queries at a time see all keys: their scores (at most 64 KiB for 512 keys) never
leave the cache. The sums are divided after the second product, which has fewer columns.
"""

from typing import no_type_check

import numpy as np

from spider.compilation import njit
from spider.encoders.transformer.engine.amx.layout import place_in_tiles, product, store_planes
from spider.encoders.transformer.engine.amx.tiles import (
    SIDE,
    TILE,
    copy_word,
    interleave,
    largest_of_lanes,
)
from spider.kernels.lane_math import exp2_or_zero
from spider.kernels.lanes import (
    broadcast,
    load,
    load_scalar,
    maximum,
    store,
    store_scalar,
    sum_of_lanes,
)


@njit
@no_type_check
def _pack_keys(planes, source, plane, stride, head, length, keys, zeros):
    """Write keys so that a tile has sixteen keys side by side and 32 of a head's columns."""
    padded = (length + SIDE - 1) // SIDE * SIDE
    steps = head >> 5
    for key in range(padded):
        for part in range(planes):
            row = source + key * stride + part * plane if key < length else zeros
            for step in range(steps):
                tile = keys + (((key >> 4) * steps + step) * planes + part) * TILE
                target = tile + 4 * (key & 15)
                origin = row + 64 * step if key < length else zeros
                for pair in range(16):
                    copy_word(target + 64 * pair, origin + 4 * pair)


@njit
@no_type_check
def _pack_values(planes, source, plane, stride, head, length, values, zeros):
    """Write values so that a tile has pairs of 32 keys and sixteen columns side by side."""
    steps = (length + SIDE - 1) // SIDE
    for step in range(steps):
        for pair in range(16):
            key = SIDE * step + 2 * pair
            for part in range(planes):
                first = source + key * stride + part * plane
                second = first + stride
                for column in range(head >> 4):
                    tile = values + ((column * steps + step) * planes + part) * TILE
                    interleave(
                        tile + 64 * pair,
                        first + 32 * column if key < length else zeros,
                        second + 32 * column if key + 1 < length else zeros,
                    )


@njit
@no_type_check
def _weigh(planes, row, steps, hidden_keys, distances, target, plane):
    """Turn one query's scores into weights without their common factor; return their sum."""
    last = row + 128 * (steps - 1)
    store(last, load(last) + load(hidden_keys))
    store(last + 64, load(last + 64) + load(hidden_keys + 64))
    if distances != 0:
        for place in range(0, 128 * steps, 64):
            store(row + place, load(row + place) + load(distances + place))
    top = load(row)
    for place in range(64, 128 * steps, 64):
        top = maximum(load(row + place), top)
    highest = broadcast(largest_of_lanes(top))
    total, other = broadcast(np.float32(0)), broadcast(np.float32(0))
    for step in range(steps):
        first = exp2_or_zero(load(row + 128 * step) - highest)
        second = exp2_or_zero(load(row + 128 * step + 64) - highest)
        total, other = total + first, other + second
        store_planes(planes, target + TILE * step, plane, first)
        store_planes(planes, target + TILE * step + 32, plane, second)
    return sum_of_lanes(total + other)


@njit
@no_type_check
def _attend_head(shape, embedding, buffers, start, length, number, columns):
    planes, head, sums = shape.planes, shape.head, buffers.sums
    stride = 2 * columns
    plane = (buffers.rows + SIDE) * stride
    queries = buffers.triples + start * stride + 2 * head * number
    between = 2 * shape.heads * head
    keys, values, zeros = buffers.keys, buffers.values, buffers.zeros
    _pack_keys(planes, queries + between, plane, stride, head, length, keys, zeros)
    _pack_values(planes, queries + 2 * between, plane, stride, head, length, values, zeros)
    steps, head_steps = (length + SIDE - 1) // SIDE, head >> 5
    hidden_keys = buffers.mask + 4 * (steps * SIDE - length)
    weights_plane = 2 * SIDE * buffers.longest
    context_plane = 2 * buffers.rows * shape.heads * head
    for query in range(0, length, SIDE):
        a = queries + query * stride
        for step in range(steps):
            b = keys + 2 * step * head_steps * planes * TILE
            c, b_half = buffers.scores + 128 * step, head_steps * planes * TILE
            product(
                planes, a, 16 * stride, stride, 64, plane, b, b_half, head_steps, c, 128 * steps
            )
        count = min(SIDE, length - query)
        for r in range(count):
            distances = 0
            if embedding.distances != 0:
                size = 2 * embedding.reach + SIDE
                distances = number * size + embedding.reach - (query + r)
                distances = embedding.distances + 4 * distances
            row = buffers.scores + r * 128 * steps
            target = buffers.weights + (r >> 4) * steps * TILE + (r & 15) * 64
            total = _weigh(planes, row, steps, hidden_keys, distances, target, weights_plane)
            # the row's first score is not needed any more
            store_scalar(row, np.float32(1) / total)
        for column in range(0, head, SIDE):
            b = values + (column >> 4) * steps * planes * TILE
            half = steps * TILE
            product(
                planes,
                buffers.weights,
                half,
                64,
                TILE,
                weights_plane,
                b,
                half * planes,
                steps,
                sums,
                128,
            )
            for r in range(count):
                factor = broadcast(load_scalar(buffers.scores + r * 128 * steps))
                place = place_in_tiles(
                    buffers.context, start + query + r, number * head + column, shape.heads * head
                )
                store_planes(planes, place, context_plane, load(sums + 128 * r) * factor)
                second = load(sums + 128 * r + 64) * factor
                store_planes(planes, place + 32, context_plane, second)


@njit
@no_type_check
def attend(shape, embedding, buffers, offsets):
    """Write what attention returns for every sequence of the block, in tiles."""
    columns = 3 * shape.heads * shape.head
    for text in range(len(offsets) - 1):
        start, length = offsets[text], offsets[text + 1] - offsets[text]
        if length > 0:
            for number in range(shape.heads):
                _attend_head(shape, embedding, buffers, start, length, number, columns)
