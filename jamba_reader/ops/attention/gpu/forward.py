"""Attention of one token per sequence in Triton: split over the memory, then merged.

One program reads one piece of one sequence's keys for all query heads that share them, with a
running softmax (FlashAttention, arXiv:2205.14135, algorithm 1); a second, small kernel weighs the
pieces together (Flash-Decoding, PyTorch blog, 2023-10-13). Scores are in units of log 2, sums in
float32, offsets into the memory in int64.
"""

from typing import no_type_check

import triton
import triton.language as tl

_LOWEST = tl.constexpr(-3e38)


@triton.jit
@no_type_check
def product(left, right, widen: tl.constexpr, precision: tl.constexpr):
    """Matrix product in float32; ``widen`` where the interpreter cannot multiply bfloat16."""
    if widen:
        return tl.dot(left.to(tl.float32), right.to(tl.float32), input_precision=precision)
    return tl.dot(left, right, input_precision=precision)


@triton.jit
@no_type_check
def attend_kernel(
    query,
    keys,
    values,
    lengths,
    sums,
    tops,
    totals,
    factor,
    pieces,
    key_sequence,
    key_head,
    key_token,
    value_sequence,
    value_head,
    value_token,
    kv_heads: tl.constexpr,
    group: tl.constexpr,
    head_dim: tl.constexpr,
    heads: tl.constexpr,
    width: tl.constexpr,
    block: tl.constexpr,
    share: tl.constexpr,
    widen: tl.constexpr,
    precision: tl.constexpr,
):
    """Attend to one piece: sums ``[programs, group, head_dim]``, tops and totals of each head."""
    pair, piece = tl.program_id(0), tl.program_id(1)
    sequence, kv_head = (pair // kv_heads).to(tl.int64), (pair % kv_heads).to(tl.int64)
    length = tl.load(lengths + sequence)
    start = tl.minimum(piece.to(tl.int64) * share, length)
    stop = tl.minimum(start + share, length)
    head, lane = tl.arange(0, heads), tl.arange(0, width)
    inside = (head[:, None] < group) & (lane[None, :] < head_dim)
    rows = (pair * group + head).to(tl.int64)[:, None] * head_dim + lane[None, :]
    asked = tl.load(query + rows, mask=inside, other=0.0)
    keys += sequence * key_sequence + kv_head * key_head
    values += sequence * value_sequence + kv_head * value_head
    top = tl.full([heads], _LOWEST, tl.float32)
    total = tl.zeros([heads], tl.float32)
    mixed = tl.zeros([heads, width], tl.float32)
    # a fixed number of iterations: the compiler overlaps them, and the interpreter needs it
    for trip in range(0, share, block):
        token = start + trip + tl.arange(0, block)
        held = (token[:, None] < stop) & (lane[None, :] < head_dim)
        key = tl.load(keys + token[:, None] * key_token + lane[None, :], mask=held, other=0.0)
        scores = product(asked, tl.trans(key), widen, precision) * factor
        # with _LOWEST, absent tokens would have weights where all scores are minus infinity
        scores = tl.where(token[None, :] < stop, scores, float("-inf"))
        higher = tl.maximum(top, tl.max(scores, 1))
        decay = tl.exp2(top - higher)
        weights = tl.exp2(scores - higher[:, None])
        total = total * decay + tl.sum(weights, 1)
        value = tl.load(values + token[:, None] * value_token + lane[None, :], mask=held, other=0.0)
        mixed = mixed * decay[:, None]
        mixed += product(weights.to(value.dtype), value, widen, precision)
        top = higher
    place = (pair * pieces + piece).to(tl.int64) * group + head
    tl.store(tops + place, top, mask=head < group)
    tl.store(totals + place, total, mask=head < group)
    tl.store(sums + place[:, None] * head_dim + lane[None, :], mixed, mask=inside)


@triton.jit
@no_type_check
def merge_kernel(
    sums,
    tops,
    totals,
    result,
    logs,
    pieces,
    group: tl.constexpr,
    head_dim: tl.constexpr,
    width: tl.constexpr,
    most_pieces: tl.constexpr,
    chunk: tl.constexpr,
):
    """Weigh the pieces of one query head together."""
    row = tl.program_id(0).to(tl.int64)
    pair, head = row // group, row % group
    lane = tl.arange(0, width)
    top = tl.full([1], _LOWEST, tl.float32)
    for first in range(0, most_pieces, chunk):
        piece = first + tl.arange(0, chunk)
        place = (pair * pieces + piece) * group + head
        top = tl.maximum(top, tl.max(tl.load(tops + place, mask=piece < pieces, other=_LOWEST), 0))
    total = tl.zeros([1], tl.float32)
    mixed = tl.zeros([width], tl.float32)
    for first in range(0, most_pieces, chunk):
        piece = first + tl.arange(0, chunk)
        place = (pair * pieces + piece) * group + head
        weight = tl.exp2(tl.load(tops + place, mask=piece < pieces, other=_LOWEST) - top)
        total += tl.sum(weight * tl.load(totals + place, mask=piece < pieces, other=0.0), 0)
        held = (piece[:, None] < pieces) & (lane[None, :] < head_dim)
        part = tl.load(sums + place[:, None] * head_dim + lane[None, :], mask=held, other=0.0)
        mixed += tl.sum(weight[:, None] * part, 0)
    mixed = mixed / total
    place = result + row * head_dim + lane
    tl.store(place, mixed.to(result.dtype.element_ty), mask=lane < head_dim)
    tl.store(logs + row + tl.arange(0, 1), top + tl.log2(total))
