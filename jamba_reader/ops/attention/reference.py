"""Causal grouped-query attention in readable torch: any dtype, differentiable.

Jamba's attention (arXiv:2403.19887, section 2; no positions): every key-value head serves a group
of query heads (GQA, arXiv:2305.13245) and the query of a token sees the tokens up to itself.
Scores are formed per sequence in float32 or wider, so this is for tests and small inputs only.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn.functional import dropout as drop

from jamba_reader.ops.segments import Segments


def attend(
    query: Float[Tensor, "queries heads head_dim"],
    keys: Float[Tensor, "kv_heads seen head_dim"],
    values: Float[Tensor, "kv_heads seen head_dim"],
    *,
    scale: float,
    dropout: float = 0.0,
) -> Float[Tensor, "queries heads head_dim"]:
    """Attend over one sequence whose last ``queries`` tokens are the queries' own.

    Query i sees keys 0 … seen - queries + i: softmax(scale · q Kᵀ) V.

    Args:
        query: the queries of the last tokens of the sequence.
        keys: the keys of all its tokens.
        values: the values of all its tokens.
        scale: the factor of the scores.
        dropout: share of attention weights set to zero, the rest scaled up.
    """
    queries, heads, head_dim = query.shape
    kv_heads, seen, _ = keys.shape
    wide = torch.promote_types(query.dtype, torch.float32)
    grouped = query.to(wide).view(queries, kv_heads, heads // kv_heads, head_dim)
    scores = scale * torch.einsum("qhgd,hkd->hgqk", grouped, keys.to(wide))
    visible = torch.ones(queries, seen, dtype=torch.bool, device=query.device)
    visible = visible.tril(diagonal=seen - queries)
    weights = scores.masked_fill(~visible, -torch.inf).softmax(-1)
    weights = drop(weights, dropout, training=dropout > 0)
    mixed = torch.einsum("hgqk,hkd->qhgd", weights, values.to(wide))
    return mixed.reshape(queries, heads, head_dim).to(query.dtype)


def attention(
    query: Float[Tensor, "tokens heads head_dim"],
    key: Float[Tensor, "tokens kv_heads head_dim"],
    value: Float[Tensor, "tokens kv_heads head_dim"],
    segments: Segments,
    *,
    scale: float,
    dropout: float = 0.0,
) -> Float[Tensor, "tokens heads head_dim"]:
    """Attend within each of the packed sequences."""
    mixed = [
        attend(
            query[rows],
            key[rows].transpose(0, 1),
            value[rows].transpose(0, 1),
            scale=scale,
            dropout=dropout,
        )
        for rows in segments.slices
    ]
    return torch.cat(mixed)


def attention_with_memory(
    query: Float[Tensor, "tokens heads head_dim"],
    keys: Float[Tensor, "sequences kv_heads capacity head_dim"],
    values: Float[Tensor, "sequences kv_heads capacity head_dim"],
    segments: Segments,
    lengths: Sequence[int],
    *,
    scale: float,
    dropout: float = 0.0,
) -> Float[Tensor, "tokens heads head_dim"]:
    """Attend over each sequence's memory, whose last tokens are the queries' own.

    Args:
        query: the queries of this call's tokens, packed.
        keys: the keys of all tokens of each sequence; what lies behind ``lengths`` is not read.
        values: the values of the same tokens.
        segments: tokens of this call.
        lengths: filled tokens of each memory, this call's included.
        scale: the factor of the scores.
        dropout: share of attention weights dropped.
    """
    mixed = [
        attend(
            query[rows],
            keys[sequence, :, :length],
            values[sequence, :, :length],
            scale=scale,
            dropout=dropout,
        )
        for sequence, (rows, length) in enumerate(zip(segments.slices, lengths, strict=True))
    ]
    return torch.cat(mixed)


def decode_attention(
    query: Float[Tensor, "sequences heads head_dim"],
    keys: Float[Tensor, "sequences kv_heads capacity head_dim"],
    values: Float[Tensor, "sequences kv_heads capacity head_dim"],
    lengths: Integer[Tensor, " sequences"],
    scale: float,
) -> Float[Tensor, "sequences heads head_dim"]:
    """Attend from one token per sequence to the first ``lengths`` tokens of its memory."""
    one_each = Segments([1] * query.shape[0])
    return attention_with_memory(query, keys, values, one_each, lengths.tolist(), scale=scale)
