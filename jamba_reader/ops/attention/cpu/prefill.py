"""Attention of prompts on a CPU with AVX-512: each block of keys serves all heads of a group.

64 queries of the heads that share a key head meet the keys a block at a time, with the running
softmax of FlashAttention (arXiv:2205.14135, algorithm 1). PyTorch's own kernel takes three times
as long, in bfloat16 because without AMX it has no products of bfloat16 here. Blocks of keys begin
with the sequence, past included, and a query's sums are added in the same order whatever comes with
it: any split of a prompt into calls of more than one token, and any number of threads, gives the
same bits.
"""

from collections.abc import Sequence
from typing import no_type_check

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from jamba_reader.ops.attention.cpu.layout import LOG2E
from jamba_reader.ops.attention.cpu.prefill_tiles import (
    KEYS,
    LOWEST,
    QUERIES,
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
from jamba_reader.ops.machine.lanes import LANES_BYTES, WIDTH
from jamba_reader.ops.machine.processor import has_feature
from jamba_reader.ops.machine.threads import match_threads
from jamba_reader.ops.segments import Segments
from spider.compilation import njit

_FEATURES = {torch.float32: "avx512f", torch.bfloat16: "avx512bf16"}
# With AMX, PyTorch's kernel is 1.3 to 4.1 times as fast in bfloat16: 0.5 against 0.6 ms for four
# sequences of 256 tokens, 4 heads of 32; 48 against 186 ms for 2,048 tokens, 32 heads of 128
# (two cores of a Xeon with AVX512-FP16, torch 2.13). Splits then change roundings.
_HERE = {
    dtype: has_feature(name) and not (dtype == torch.bfloat16 and has_feature("amx-bf16"))
    for dtype, name in _FEATURES.items()
}


def does(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    memory: tuple[Tensor, Tensor, Sequence[int]] | None,
    scale: float,
) -> bool:
    """Return whether the kernel can do this and is faster than PyTorch's here."""
    tensors = (query, key, value) if memory is None else (query, key, value, *memory[:2])
    return (
        _HERE.get(query.dtype, False)
        and scale > 0
        and query.shape[-1] % WIDTH == 0
        and all(t.dtype == query.dtype and t.stride(-1) == 1 for t in tensors)
        and not (torch.is_grad_enabled() and any(t.requires_grad for t in tensors))
    )


def attend(
    query: Float[Tensor, "tokens heads head_dim"],
    key: Float[Tensor, "tokens kv_heads head_dim"],
    value: Float[Tensor, "tokens kv_heads head_dim"],
    segments: Segments,
    memory: tuple[Tensor, Tensor, Sequence[int]] | None,
    *,
    scale: float,
) -> Float[Tensor, "tokens heads head_dim"]:
    """Attend as ``prefill.prefill_attention`` does, where ``does`` says so."""
    tokens, heads, head_dim = query.shape
    output = torch.empty((tokens, heads, head_dim), dtype=query.dtype)
    size = query.element_size()
    keys, values = (key, value) if memory is None else memory[:2]
    head_axis, token_axis = (1, 0) if memory is None else (1, 2)
    shape = (
        heads // key.shape[1],
        head_dim,
        size,
        query.stride(0) * size,
        query.stride(1) * size,
        keys.stride(token_axis) * size,
        values.stride(token_axis) * size,
        output.stride(0) * size,
    )
    units = []
    for sequence, (start, new) in enumerate(zip(segments.starts, segments.lengths, strict=False)):
        past = 0 if memory is None else memory[2][sequence] - new
        # rows of ``keys`` before the sequence: tokens, or sequences of the memory
        before = start if memory is None else sequence
        for first in range(0, new, QUERIES):
            for head in range(key.shape[1]):
                places = [
                    t.data_ptr() + (before * t.stride(0) + head * t.stride(head_axis)) * size
                    for t in (keys, values)
                ]
                row, column = start + first, head * shape[0]
                places += [
                    t.data_ptr() + (row * t.stride(0) + column * t.stride(1)) * size
                    for t in (query, output)
                ]
                units.append((*places, past + first, min(QUERIES, new - first)))
    if not units:
        return output
    # the longest first, then dealt out: threads end together
    table = np.array(sorted(units, key=lambda unit: -unit[4]), dtype=np.int64)
    workers = min(match_threads(), len(table))
    room = _places(0, shape)[-1]
    scratch = torch.empty(workers * room, dtype=torch.uint8)
    kernel = _forward if workers == 1 else _forward_in_parallel
    kernel(workers, table, shape, np.float32(scale * LOG2E), scratch.data_ptr(), room)
    return output


@njit
@no_type_check
def _places(scratch, shape):
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
def _work(worker, workers, table, shape, factor, scratch, room):
    places = _places(scratch + worker * room, shape)
    number_queries(places[0])
    for unit in range(worker, len(table), workers):
        row = table[unit]
        _attend((row[0], row[1], row[2], row[3], row[4], row[5]), shape, factor, places)


@njit(nogil=True, error_model="numpy")
@no_type_check
def _forward(workers, table, shape, factor, scratch, room):
    _work(0, workers, table, shape, factor, scratch, room)


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def _forward_in_parallel(workers, table, shape, factor, scratch, room):
    for worker in prange(workers):
        _work(worker, workers, table, shape, factor, scratch, room)
