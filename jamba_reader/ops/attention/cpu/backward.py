"""Gradients of attention of one token per sequence on a CPU, in one more pass over the memory.

With softmax weights p = 2^(score - log2 of the sum), output o and gradient do (FlashAttention-2,
arXiv:2307.08691, algorithm 2): dv = pᵀ do, dp = do vᵀ, dscore = p (dp - Σ do o), dq = dscore k and
dk = dscoreᵀ q. Keys and values are written by one worker each; the query's gradient is summed over
the pieces at the end.
"""

from typing import no_type_check

import numpy as np
import torch
from jaxtyping import Float, Int64
from numba import prange
from torch import Tensor

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
    LOG2E,
    byte_strides,
    in_tiles,
    piece_bounds,
    plan_work,
)
from jamba_reader.ops.machine.lanes import LANES_BYTES, broadcast, store
from spider.compilation import njit


def decode_backward(
    gradient: Float[Tensor, "sequences heads head_dim"],
    query: Float[Tensor, "sequences heads head_dim"],
    keys: Float[Tensor, "sequences kv_heads capacity head_dim"],
    values: Float[Tensor, "sequences kv_heads capacity head_dim"],
    lengths: Int64[Tensor, " sequences"],
    longest: int,
    scale: float,
    mixed: Float[Tensor, "sequences heads head_dim"],
    logs: Float[Tensor, "sequences kv_heads tiles"],
) -> tuple[
    Float[Tensor, "sequences heads head_dim"],
    Float[Tensor, "sequences kv_heads capacity head_dim"],
    Float[Tensor, "sequences kv_heads capacity head_dim"],
]:
    """Return the gradients of query, keys and values, in their dtypes.

    Args:
        gradient: of the result.
        query: as in the forward pass.
        keys: as in the forward pass.
        values: as in the forward pass.
        lengths: as in the forward pass.
        longest: of the lengths.
        scale: of the scores.
        mixed: the result.
        logs: log2 of each softmax's sum, from the forward pass.
    """
    sequences, query_heads, head_dim = query.shape
    kv_heads, capacity = keys.shape[1:3]
    plan = plan_work(query, keys, longest)
    scaled = in_tiles(query.float() * (scale * LOG2E), kv_heads, plan)
    outer = in_tiles(gradient, kv_heads, plan)
    deltas = (outer * in_tiles(mixed, kv_heads, plan)).sum(-1)
    logs = logs.contiguous()
    query_parts = torch.zeros((sequences, kv_heads, plan.pieces, plan.heads, plan.width))
    key_gradient = torch.zeros((sequences, kv_heads, capacity, plan.width))
    value_gradient = torch.zeros_like(key_gradient)
    room = plan.room + plan.heads * BLOCK
    scratch = torch.zeros((plan.workers, room))
    kernel = _backward if plan.workers == 1 else _backward_in_parallel
    kernel(
        plan.workers,
        (sequences, kv_heads, plan.pieces, plan.heads, plan.width, head_dim),
        (scaled.data_ptr(), outer.data_ptr(), deltas.data_ptr(), logs.data_ptr()),
        (query_parts.data_ptr(), key_gradient.data_ptr(), value_gradient.data_ptr(), capacity),
        (scratch.data_ptr(), 4 * room),
        (keys.data_ptr(), *byte_strides(keys)),
        (values.data_ptr(), *byte_strides(values)),
        keys.element_size(),
        lengths.numpy(),
    )
    group = query_heads // kv_heads
    query_gradient = query_parts.sum(2)[:, :, :group, :head_dim] * (scale * LOG2E)
    return (
        query_gradient.reshape(query.shape).to(query.dtype),
        key_gradient[..., :head_dim].to(keys.dtype),
        value_gradient[..., :head_dim].to(values.dtype),
    )


@njit(error_model="numpy")
@no_type_check
def _differentiate(task, shape, places, results, scratch, keys, values, item_size, lengths):
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
        # scores are in log 2, and so is their scale in the query: ln 2 makes both natural again
        score_gradients(weights, gradients, heads, rows, logs, deltas, LN2)
        add_weighted_rows(gradients, ones, heads, block, stride, rows, width, query_gradient)
        spread_to_rows(gradients, heads, query, rows, width, key_gradient + first * width * 4)
        spread_to_rows(weights, heads, outer, rows, width, value_gradient + first * width * 4)


@njit(error_model="numpy")
@no_type_check
def _backward(workers, shape, places, results, scratch, keys, values, item_size, lengths):
    for task in range(shape[0] * shape[1] * shape[2]):
        _differentiate(task, shape, places, results, scratch[0], keys, values, item_size, lengths)


@njit(error_model="numpy", parallel=True)
@no_type_check
def _backward_in_parallel(
    workers, shape, places, results, scratch, keys, values, item_size, lengths
):
    tasks = shape[0] * shape[1] * shape[2]
    for worker in prange(workers):
        room = scratch[0] + worker * scratch[1]
        for task in range(worker, tasks, workers):
            _differentiate(task, shape, places, results, room, keys, values, item_size, lengths)
