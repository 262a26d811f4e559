"""Gradients of attention of one token per sequence on a CPU, in one more pass over the memory.

With softmax weights p = 2^(score - log2 of the sum), output o and gradient do (FlashAttention-2,
arXiv:2307.08691, algorithm 2): dv = pᵀ do, dp = do vᵀ, dscore = p (dp - Σ do o), dq = dscore k and
dk = dscoreᵀ q. Keys and values are written by one worker each; the query's gradient is summed over
the pieces at the end.
"""

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.attention.cpu.blocks import (
    BLOCK,
    BLOCK_BYTES,
    add_weighted_rows,
    products,
    score_gradients,
    spread_to_rows,
    widened,
)
from jamba_reader.ops.attention.cpu.layout import (
    LN2,
    piece_bounds,
)
from spider.compilation import njit
from spider.kernels.lanes import LANES_BYTES, broadcast, store


@njit(error_model="numpy")
@no_type_check
def _differentiate_piece(task, shape, places, results, scratch, keys, values, item_size, lengths):
    """Gradients of one piece of one sequence, from one group of heads."""
    _, kv_heads, _, heads, width, head_dim = shape
    sequence, kv_head, start, stop = piece_bounds(task, shape, lengths)
    pair = sequence * kv_heads + kv_head
    tile = heads * width * 4
    query, outer = places[0] + pair * tile, places[1] + pair * tile
    deltas, logs = places[2] + pair * heads * 4, places[3] + pair * heads * 4
    query_gradient = results[0] + task * tile
    key_gradient = results[1] + pair * results[3] * width * 4
    value_gradient = results[2] + pair * results[3] * width * 4
    key_room = scratch
    value_room = key_room + BLOCK * width * 4
    weights = value_room + BLOCK * width * 4
    gradients = weights + heads * BLOCK_BYTES
    ones = gradients + heads * BLOCK_BYTES
    for head in range(heads):
        store(ones + head * LANES_BYTES, broadcast(np.float32(1)))
    key_place = keys[0] + sequence * keys[1] + kv_head * keys[2]
    value_place = values[0] + sequence * values[1] + kv_head * values[2]
    for first in range(start, stop, BLOCK):
        rows = min(BLOCK, stop - first)
        block, stride = widened(
            value_place + first * values[3], values[3], item_size, head_dim, width, rows, value_room
        )
        products(outer, heads, block, stride, rows, width, gradients)
        block, stride = widened(
            key_place + first * keys[3], keys[3], item_size, head_dim, width, rows, key_room
        )
        products(query, heads, block, stride, rows, width, weights)
        # scores and the query's scale are in units of log 2: ln 2 makes both natural again
        score_gradients(weights, gradients, heads, rows, logs, deltas, LN2)
        add_weighted_rows(gradients, ones, heads, block, stride, rows, width, query_gradient)
        spread_to_rows(gradients, heads, query, rows, width, key_gradient + first * width * 4)
        spread_to_rows(weights, heads, outer, rows, width, value_gradient + first * width * 4)


@njit(error_model="numpy")
@no_type_check
def differentiate(workers, shape, places, results, scratch, keys, values, item_size, lengths):
    """Differentiate on one thread; operands as ``launch.decode_backward`` passes them."""
    for task in range(shape[0] * shape[1] * shape[2]):
        _differentiate_piece(
            task, shape, places, results, scratch[0], keys, values, item_size, lengths
        )


@njit(error_model="numpy", parallel=True)
@no_type_check
def differentiate_in_parallel(
    workers, shape, places, results, scratch, keys, values, item_size, lengths
):
    """Differentiate on several threads, each with its own scratch memory."""
    tasks = shape[0] * shape[1] * shape[2]
    for worker in prange(workers):
        own = scratch[0] + worker * scratch[1]
        for task in range(worker, tasks, workers):
            _differentiate_piece(
                task, shape, places, results, own, keys, values, item_size, lengths
            )
