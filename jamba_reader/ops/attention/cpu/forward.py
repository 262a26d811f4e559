"""Attention of one token per sequence in numba: every key and value is read once.

Reading the memory takes most of the time, so all query heads of a group share each key. A
sequence is split into pieces of whole blocks; each piece keeps its own maximum m and sum of
exponentials l, and the pieces are merged at the end (Flash-Decoding, PyTorch blog,
2023-10-13; the running softmax of FlashAttention, arXiv:2205.14135, algorithm 1). Scores are in
units of log 2, because the machine computes 2ˣ; all sums are in float32.
"""

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.attention.cpu.blocks import (
    BLOCK,
    BLOCK_BYTES,
    LOWEST,
    add_weighted_rows,
    exponentiate,
    products,
    widened,
)
from jamba_reader.ops.attention.cpu.layout import (
    piece_bounds,
)
from spider.compilation import njit
from spider.kernels.lanes import (
    LANES_BYTES,
    broadcast,
    fma,
    load,
    load_scalar,
    store,
    store_scalar,
)


@njit(error_model="numpy")
@no_type_check
def _attend_piece(task, shape, places, scratch, keys, values, item_size, lengths):
    """Attend to one piece of one sequence, for one group of heads."""
    _, kv_heads, _, heads, width, head_dim = shape
    sequence, kv_head, start, stop = piece_bounds(task, shape, lengths)
    query = places[0] + (sequence * kv_heads + kv_head) * heads * width * 4
    sums = places[1] + task * heads * width * 4
    tops = places[2] + task * heads * 8
    totals = tops + heads * 4
    key_room = scratch
    value_room = key_room + BLOCK * width * 4
    weights = value_room + BLOCK * width * 4
    decays = weights + heads * BLOCK_BYTES
    zero = broadcast(np.float32(0))
    for head in range(heads):
        store_scalar(tops + 4 * head, LOWEST)
        store_scalar(totals + 4 * head, np.float32(0))
    for place in range(sums, sums + heads * width * 4, LANES_BYTES):
        store(place, zero)
    key_place = keys[0] + sequence * keys[1] + kv_head * keys[2]
    value_place = values[0] + sequence * values[1] + kv_head * values[2]
    for first in range(start, stop, BLOCK):
        rows = min(BLOCK, stop - first)
        block, stride = widened(
            key_place + first * keys[3], keys[3], item_size, head_dim, width, rows, key_room
        )
        products(query, heads, block, stride, rows, width, weights)
        exponentiate(weights, heads, rows, tops, totals, decays)
        block, stride = widened(
            value_place + first * values[3], values[3], item_size, head_dim, width, rows, value_room
        )
        add_weighted_rows(weights, decays, heads, block, stride, rows, width, sums)


@njit(error_model="numpy")
@no_type_check
def _merge_pieces(pair, shape, places):
    """Merge the weighted pieces of one sequence and key head into the first."""
    pieces, heads, width = shape[2], shape[3], shape[4]
    sums = places[1] + pair * pieces * heads * width * 4
    notes = places[2] + pair * pieces * heads * 8
    for head in range(heads):
        top = LOWEST
        for piece in range(pieces):
            top = max(top, load_scalar(notes + (piece * 2 * heads + head) * 4))
        total = np.float32(0)
        for piece in range(pieces):
            place = notes + (piece * 2 * heads + head) * 4
            weight = np.float32(2) ** (load_scalar(place) - top)
            store_scalar(place, weight)
            total += weight * load_scalar(place + 4 * heads)
        for offset in range(0, width * 4, LANES_BYTES):
            mixed = broadcast(np.float32(0))
            for piece in range(pieces):
                share = load_scalar(notes + (piece * 2 * heads + head) * 4) / total
                row = sums + (piece * heads + head) * width * 4
                mixed = fma(broadcast(share), load(row + offset), mixed)
            store(sums + head * width * 4 + offset, mixed)
        store_scalar(notes + head * 4, top + np.float32(np.log2(total)))


@njit(error_model="numpy")
@no_type_check
def attend(workers, shape, places, scratch, keys, values, item_size, lengths):
    """Attend on one thread; operands as ``launch.decode_forward`` passes them."""
    pairs = shape[0] * shape[1]
    for task in range(pairs * shape[2]):
        _attend_piece(task, shape, places, scratch[0], keys, values, item_size, lengths)
    for pair in range(pairs):
        _merge_pieces(pair, shape, places)


@njit(error_model="numpy", parallel=True)
@no_type_check
def attend_in_parallel(workers, shape, places, scratch, keys, values, item_size, lengths):
    """Attend on several threads, each with its own scratch memory."""
    pairs = shape[0] * shape[1]
    for worker in prange(workers):
        own = scratch[0] + worker * scratch[1]
        for task in range(worker, pairs * shape[2], workers):
            _attend_piece(task, shape, places, own, keys, values, item_size, lengths)
    for pair in range(pairs):
        _merge_pieces(pair, shape, places)
