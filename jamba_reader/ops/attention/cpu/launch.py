"""Attention of one token per sequence on a CPU: calls of the numba kernels."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from jamba_reader.ops.attention.cpu.backward import differentiate, differentiate_in_parallel
from jamba_reader.ops.attention.cpu.blocks import (
    BLOCK,
)
from jamba_reader.ops.attention.cpu.forward import attend, attend_in_parallel
from jamba_reader.ops.attention.cpu.layout import (
    LOG2E,
    byte_strides,
    in_tiles,
    plan_work,
)
from jamba_reader.ops.machine.operands import new_floats


def decode_forward(
    query: Float[Tensor, "sequences heads head_dim"],
    keys: Float[Tensor, "sequences kv_heads capacity head_dim"],
    values: Float[Tensor, "sequences kv_heads capacity head_dim"],
    lengths: Int64[Tensor, " sequences"],
    longest: int,
    scale: float,
) -> tuple[Float[Tensor, "sequences heads head_dim"], Float[Tensor, "sequences kv_heads tiles"]]:
    """Attend to the first ``lengths`` tokens of each memory.

    Args:
        query: the queries of one token per sequence.
        keys: float32 or bfloat16; the last dimension is contiguous.
        values: laid out as the keys.
        lengths: the number of tokens in each memory, at least 1.
        longest: the largest of the lengths.
        scale: the factor of the scores.

    Returns:
        The result in the query's dtype, and log2 of each softmax's sum for the backward pass.
    """
    sequences, query_heads, head_dim = query.shape
    kv_heads = keys.shape[1]
    plan = plan_work(query, keys, longest)
    tiled = in_tiles(query.float() * (scale * LOG2E), kv_heads, plan)
    sums = new_floats(sequences, kv_heads, plan.pieces, plan.heads, plan.width)
    # maxima and sums of exponentials; then logs
    notes = new_floats(sequences, kv_heads, plan.pieces, 2, plan.heads)
    scratch = new_floats(plan.workers, plan.scratch).zero_()
    kernel = attend if plan.workers == 1 else attend_in_parallel
    kernel(
        plan.workers,
        (sequences, kv_heads, plan.pieces, plan.heads, plan.width, head_dim),
        (tiled.data_ptr(), sums.data_ptr(), notes.data_ptr()),
        (scratch.data_ptr(), 4 * plan.scratch),
        (keys.data_ptr(), *byte_strides(keys)),
        (values.data_ptr(), *byte_strides(values)),
        keys.element_size(),
        lengths.numpy(),
    )
    group = query_heads // kv_heads
    mixed = sums[:, :, 0, :group, :head_dim].reshape(sequences, query_heads, head_dim)
    return mixed.to(query.dtype), notes[:, :, 0, 0]


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
        gradient: the gradient of the result.
        query: as in the forward pass.
        keys: as in the forward pass.
        values: as in the forward pass.
        lengths: as in the forward pass.
        longest: the largest of the lengths.
        scale: the factor of the scores.
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
    query_parts = new_floats(sequences, kv_heads, plan.pieces, plan.heads, plan.width).zero_()
    key_gradient = new_floats(sequences, kv_heads, capacity, plan.width).zero_()
    value_gradient = torch.zeros_like(key_gradient)
    scratch_size = plan.scratch + plan.heads * BLOCK
    scratch = new_floats(plan.workers, scratch_size).zero_()
    kernel = differentiate if plan.workers == 1 else differentiate_in_parallel
    kernel(
        plan.workers,
        (sequences, kv_heads, plan.pieces, plan.heads, plan.width, head_dim),
        (scaled.data_ptr(), outer.data_ptr(), deltas.data_ptr(), logs.data_ptr()),
        (query_parts.data_ptr(), key_gradient.data_ptr(), value_gradient.data_ptr(), capacity),
        (scratch.data_ptr(), 4 * scratch_size),
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
