"""Gradients of attention of one token per sequence in Triton, in one more pass over the memory.

The formulae are those of ``cpu.backward``. Every token belongs to one program, which writes the
gradients of its key and value; the query's are summed over the pieces afterwards, so the result
does not depend on the order in which programs end.
"""

from typing import no_type_check

import triton
import triton.language as tl

from jamba_reader.ops.attention.gpu.forward import (
    product,
)


@triton.jit
@no_type_check
def differentiate_kernel(
    gradient,
    query,
    keys,
    values,
    lengths,
    deltas,
    logs,
    query_parts,
    key_gradient,
    value_gradient,
    scale,
    factor,
    pieces,
    capacity,
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
    """Gradients from one piece of one sequence and one group of heads."""
    pair, piece = tl.program_id(0), tl.program_id(1)
    sequence, kv_head = (pair // kv_heads).to(tl.int64), (pair % kv_heads).to(tl.int64)
    length = tl.load(lengths + sequence)
    start = tl.minimum(piece.to(tl.int64) * share, length)
    stop = tl.minimum(start + share, length)
    head, lane = tl.arange(0, heads), tl.arange(0, width)
    real = head < group
    inside = real[:, None] & (lane[None, :] < head_dim)
    row = (pair * group + head).to(tl.int64)
    places = row[:, None] * head_dim + lane[None, :]
    asked = tl.load(query + places, mask=inside, other=0.0)
    outer = tl.load(gradient + places, mask=inside, other=0.0)
    delta = tl.load(deltas + row, mask=real, other=0.0)
    log = tl.load(logs + row, mask=real, other=0.0)
    keys += sequence * key_sequence + kv_head * key_head
    values += sequence * value_sequence + kv_head * value_head
    memory = pair.to(tl.int64) * capacity
    change = tl.zeros([heads, width], tl.float32)
    for trip in range(0, share, block):
        token = start + trip + tl.arange(0, block)
        held = (token[:, None] < stop) & (lane[None, :] < head_dim)
        key = tl.load(keys + token[:, None] * key_token + lane[None, :], mask=held, other=0.0)
        value = tl.load(values + token[:, None] * value_token + lane[None, :], mask=held, other=0.0)
        scores = product(asked, tl.trans(key), widen, precision) * factor
        visible = real[:, None] & (token[None, :] < stop)
        weights = tl.where(visible, tl.exp2(scores - log[:, None]), 0.0)
        slopes = product(outer, tl.trans(value), widen, precision)
        slopes = weights * (slopes - delta[:, None]) * scale
        narrow = slopes.to(key.dtype)
        change += product(narrow, key, widen, precision)
        of_key = product(tl.trans(narrow), asked, widen, precision)
        of_value = product(tl.trans(weights.to(outer.dtype)), outer, widen, precision)
        target = (memory + token)[:, None] * head_dim + lane[None, :]
        tl.store(key_gradient + target, of_key.to(key.dtype), mask=held)
        tl.store(value_gradient + target, of_value.to(value.dtype), mask=held)
    place = (pair * pieces + piece).to(tl.int64) * group + head
    tl.store(query_parts + place[:, None] * head_dim + lane[None, :], change, mask=inside)
