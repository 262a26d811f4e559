"""Attention of one token per sequence on a GPU: calls of the Triton kernels."""

import torch
import triton
from jaxtyping import Float, Int64
from torch import Tensor

from jamba_reader.ops.attention.gpu.backward import differentiate_kernel
from jamba_reader.ops.attention.gpu.forward import attend_kernel, merge_kernel
from jamba_reader.ops.selection import interpreting

LOG2E = 1.4426950408889634


# a few programs for every multiprocessor of a large card
_PROGRAMS = 1024
_LEAST_SHARE = 256
_CHUNK = 16


def precision_of(dtype: torch.dtype) -> str:
    """Return how products of this type are to be multiplied: float32 without shortening to TF32."""
    return "ieee" if dtype == torch.float32 else "tf32"


def tile_sizes(group: int, head_dim: int, itemsize: int) -> tuple[int, int, int]:
    """Return rows of a tile of query heads, its width and the tokens of a block.

    A block of keys is 16 KiB at most: of keys and values three stages fit into 99 KiB of memory.
    """
    width = max(16, triton.next_power_of_2(head_dim))
    block = min(64, max(16, 16384 // (width * itemsize)))
    return max(16, triton.next_power_of_2(group)), width, block


def shares(longest: int, pairs: int) -> tuple[int, int]:
    """Return tokens of a piece, a power of two, and pieces of the longest sequence.

    Only powers of two, because each is compiled for itself.
    """
    share = max(_LEAST_SHARE, triton.next_power_of_2(-(-longest * pairs // _PROGRAMS)))
    return share, max(1, -(-longest // share))


def decode_forward(
    query: Float[Tensor, "sequences heads head_dim"],
    keys: Float[Tensor, "sequences kv_heads capacity head_dim"],
    values: Float[Tensor, "sequences kv_heads capacity head_dim"],
    lengths: Int64[Tensor, " sequences"],
    longest: int,
    scale: float,
) -> tuple[Float[Tensor, "sequences heads head_dim"], Float[Tensor, "sequences heads"]]:
    """Attend to the first ``lengths`` tokens of each memory.

    Args:
        query: the queries of one token per sequence.
        keys: the last dimension is contiguous.
        values: laid out as the keys.
        lengths: the number of tokens in each memory, at least 1.
        longest: the largest of the lengths.
        scale: the factor of the scores.

    Returns:
        The result in the query's dtype, and log2 of each softmax's sum for the backward pass.
    """
    sequences, query_heads, head_dim = query.shape
    kv_heads = keys.shape[1]
    group, pairs = query_heads // kv_heads, sequences * kv_heads
    heads, width, block = tile_sizes(group, head_dim, keys.element_size())
    share, pieces = shares(longest, pairs)
    query = query.contiguous()
    sums = query.new_empty((pairs, pieces, group, head_dim), dtype=torch.float32)
    tops = query.new_empty((pairs, pieces, group), dtype=torch.float32)
    totals = torch.empty_like(tops)
    logs = query.new_empty((sequences, query_heads), dtype=torch.float32)
    mixed = torch.empty_like(query)
    attend_kernel[(pairs, pieces)](
        query,
        keys,
        values,
        lengths,
        sums,
        tops,
        totals,
        scale * LOG2E,
        pieces,
        *keys.stride()[:3],
        *values.stride()[:3],
        kv_heads=kv_heads,
        group=group,
        head_dim=head_dim,
        heads=heads,
        width=width,
        block=block,
        share=share,
        widen=interpreting(),
        precision=precision_of(keys.dtype),
    )
    merge_kernel[(sequences * query_heads,)](
        sums,
        tops,
        totals,
        mixed,
        logs,
        pieces,
        group=group,
        head_dim=head_dim,
        width=width,
        most_pieces=triton.next_power_of_2(pieces),
        chunk=min(_CHUNK, triton.next_power_of_2(pieces)),
    )
    return mixed, logs


def decode_backward(
    gradient: Float[Tensor, "sequences heads head_dim"],
    query: Float[Tensor, "sequences heads head_dim"],
    keys: Float[Tensor, "sequences kv_heads capacity head_dim"],
    values: Float[Tensor, "sequences kv_heads capacity head_dim"],
    lengths: Int64[Tensor, " sequences"],
    longest: int,
    scale: float,
    mixed: Float[Tensor, "sequences heads head_dim"],
    logs: Float[Tensor, "sequences heads"],
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
    group, pairs = query_heads // kv_heads, sequences * kv_heads
    heads, width, block = tile_sizes(group, head_dim, keys.element_size())
    share, pieces = shares(longest, pairs)
    gradient = gradient.to(query.dtype).contiguous()
    deltas = (gradient.float() * mixed.float()).sum(-1)
    parts = query.new_empty((pairs, pieces, group, head_dim), dtype=torch.float32)
    key_gradient = keys.new_zeros(keys.shape)
    value_gradient = values.new_zeros(values.shape)
    differentiate_kernel[(pairs, pieces)](
        gradient,
        query.contiguous(),
        keys,
        values,
        lengths,
        deltas,
        logs,
        parts,
        key_gradient,
        value_gradient,
        scale,
        scale * LOG2E,
        pieces,
        capacity,
        *keys.stride()[:3],
        *values.stride()[:3],
        kv_heads=kv_heads,
        group=group,
        head_dim=head_dim,
        heads=heads,
        width=width,
        block=block,
        share=share,
        widen=interpreting(),
        precision=precision_of(keys.dtype),
    )
    query_gradient = parts.sum(1).view(query.shape).to(query.dtype)
    return query_gradient, key_gradient, value_gradient
