"""Attention of prompts on a CPU with AVX-512: each block of keys serves all heads of a group.

64 queries of the heads that share a key head are multiplied by one block of keys at a time, with
the running softmax of FlashAttention (arXiv:2205.14135, algorithm 1). PyTorch's own kernel takes
three times as long; in bfloat16 because without AMX it has no products of bfloat16 here. Blocks of
keys are counted from the start of the sequence, past included. A query's sums are added in the same
order whatever comes with it. So any split of a prompt into calls of more than one token, and any
number of threads, gives the same bits.
"""

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.attention.cpu.prefill.tiles import (
    KEYS,
    LOWEST,
    STRIP,
    add_values,
    exponentiate,
    fill,
    hide_later,
    number_queries,
    pad_rows,
    pair_values,
    score,
    turn_queries,
    write_outputs,
)
from spider.compilation import njit
from spider.kernels.lanes import LANES_BYTES


@njit
@no_type_check
def places_in(scratch, shape):
    """Addresses in a worker's memory, and its end."""
    group, head_dim, size = shape[:3]
    numbers = scratch
    decays = numbers + STRIP
    tops = decays + STRIP
    totals = tops + group * STRIP
    queries = totals + group * STRIP
    sums = queries + group * head_dim * size // 4 * STRIP
    scores = sums + group * head_dim * STRIP
    weights = scores + KEYS * STRIP
    padded_keys = weights + KEYS * size // 4 * STRIP
    padded_values = padded_keys + KEYS * head_dim * size
    paired = padded_values + KEYS * head_dim * size
    end = paired + KEYS * head_dim * size
    return (
        numbers,
        decays,
        tops,
        totals,
        queries,
        sums,
        scores,
        weights,
        padded_keys,
        padded_values,
        paired,
        end,
    )


@njit(error_model="numpy")
@no_type_check
def _attend(unit, shape, factor, places):
    """Attend from at most 64 tokens, with all heads of a group."""
    group, head_dim, size, query_stride, head_stride, key_stride, value_stride, output_stride = (
        shape
    )
    keys, values, query, output, position, count = unit
    numbers, decays, tops, totals, queries, sums, scores, weights = places[:8]
    padded_keys, padded_values, paired = places[8:11]
    pairs = size == 2
    depth = head_dim * size // 4
    fill(tops, group * STRIP // LANES_BYTES, LOWEST)
    fill(totals, group * STRIP // LANES_BYTES, np.float32(0))
    fill(sums, group * head_dim * STRIP // LANES_BYTES, np.float32(0))
    for head in range(group):
        target = queries + head * depth * STRIP
        turn_queries(query + head * head_stride, query_stride, count, depth, target)
    for first in range(0, position + count, KEYS):
        rows = min(KEYS, position + count - first)
        key, key_step = keys + first * key_stride, key_stride
        value, value_step = values + first * value_stride, value_stride
        if rows % 4:
            whole = (rows + 3) // 4 * 4
            pad_rows(key, key_step, rows, whole, head_dim * size, padded_keys)
            pad_rows(value, value_step, rows, whole, head_dim * size, padded_values)
            key, value, rows = padded_keys, padded_values, whole
            key_step = value_step = head_dim * size
        if pairs:
            pair_values(value, value_step, rows, head_dim, paired)
            value, value_step = paired, 4 * head_dim
        for head in range(group):
            score(pairs, key, key_step, rows, depth, queries + head * depth * STRIP, scores)
            if first + rows > position:
                hide_later(scores, rows, first - position, numbers)
            place = head * STRIP
            exponentiate(pairs, scores, rows, factor, tops + place, totals + place, decays, weights)
            target = sums + head * head_dim * STRIP
            steps = rows * size // 4
            add_values(pairs, value, value_step, steps, head_dim, decays, weights, target)
    for head in range(group):
        source, target = sums + head * head_dim * STRIP, output + head * head_dim * size
        write_outputs(source, totals + head * STRIP, head_dim, count, size, target, output_stride)


@njit(nogil=True, error_model="numpy")
@no_type_check
def _work(worker, workers, table, shape, factor, scratch, scratch_size):
    places = places_in(scratch + worker * scratch_size, shape)
    number_queries(places[0])
    for unit in range(worker, len(table), workers):
        row = table[unit]
        _attend((row[0], row[1], row[2], row[3], row[4], row[5]), shape, factor, places)


@njit(nogil=True, error_model="numpy")
@no_type_check
def attend_units(workers, table, shape, factor, scratch, scratch_size):
    """Attend on one thread; operands as ``launch.attend`` passes them."""
    _work(0, workers, table, shape, factor, scratch, scratch_size)


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def attend_units_in_parallel(workers, table, shape, factor, scratch, scratch_size):
    """Attend on several threads, each with its own scratch memory."""
    for worker in prange(workers):
        _work(worker, workers, table, shape, factor, scratch, scratch_size)
