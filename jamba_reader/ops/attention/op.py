"""Attention: checks, choice of the implementation and gradients, for prompts and single tokens."""

from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.autograd.function import once_differentiable

from jamba_reader.ops.attention import fused, reference
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.operand_checks import INTEGERS, check_alike, check_dtype
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selection import Implementation, select


def attention(
    query: Float[Tensor, "tokens heads head_dim"],
    key: Float[Tensor, "tokens kv_heads head_dim"],
    value: Float[Tensor, "tokens kv_heads head_dim"],
    segments: Segments,
    memory: KeyValueMemory | None = None,
    *,
    scale: float,
    dropout: float = 0.0,
    implementation: Implementation = "auto",
) -> Float[Tensor, "tokens heads head_dim"]:
    """Causal grouped-query attention of packed sequences, without positions.

    No matrix of all scores is formed, in training neither; with two exceptions that are for tests
    and small models: the reference, and ``dropout`` on a CPU, which falls back to it.

    Args:
        query: the queries of this call's tokens.
        key: the keys of this call's tokens.
        value: the values of this call's tokens.
        segments: which tokens belong to which sequence.
        memory: the memory of the sequences. **It already holds this call's tokens** at the end.
            Query i of a sequence sees the earlier tokens and the tokens 0 … i of this call.
        scale: the factor of the scores, usually 1 / √head_dim.
        dropout: share of attention weights dropped; above 0 only while training.
        implementation: which kernel.

    Raises:
        DataError: the operands' dtypes or devices differ.
        ConfigError: the kernel does not run on the operands' device.
        MissingDependencyError: Triton is requested and not installed.
    """
    keys, values = (key, value) if memory is None else (memory.keys, memory.values)
    check_alike("attention", query=query, key=key, value=value, keys=keys, values=values)
    chosen = select("attention", implementation, device=query.device, dtype=query.dtype)
    if chosen == "reference" or (dropout and query.device.type == "cpu"):
        return _by_reference(query, key, value, segments, memory, scale=scale, dropout=dropout)
    decodes = segments.single_tokens and not dropout and _decodable(query, keys, values, chosen)
    if memory is not None and decodes:
        lengths = memory.lengths_on(query.device)
        longest = max(memory.lengths, default=0)
        return _decode(query, keys, values, lengths, longest, scale, chosen)
    held = None if memory is None else (memory.keys, memory.values, memory.lengths)
    if query.device.type == "cpu":
        from jamba_reader.ops.attention.cpu.prefill import launch as prefill

        if prefill.does(query, key, value, held, scale):
            return prefill.attend(query, key, value, segments, held, scale=scale)
    return fused.prefill_attention(query, key, value, segments, held, scale=scale, dropout=dropout)


def decode_attention(
    query: Float[Tensor, "sequences heads head_dim"],
    keys: Float[Tensor, "sequences kv_heads capacity head_dim"],
    values: Float[Tensor, "sequences kv_heads capacity head_dim"],
    lengths: Int64[Tensor, " sequences"],
    scale: float,
    *,
    longest: int | None = None,
    implementation: Implementation = "auto",
) -> Float[Tensor, "sequences heads head_dim"]:
    """Attend from one token per sequence to the first ``lengths`` tokens of its memory.

    Args:
        query: the queries of the last token of each sequence.
        keys: the keys of all its tokens, the last one's included.
        values: the values of the same tokens.
        lengths: the number of tokens in each memory, at least 1.
        scale: the factor of the scores.
        longest: the largest of the lengths; saves asking the device.
        implementation: which kernel.

    Raises:
        DataError: the operands' dtypes or devices differ, or the lengths are no integers.
        ConfigError: the kernel does not run on the operands' device.
        MissingDependencyError: Triton is requested and not installed.
    """
    check_alike("decode_attention", query=query, keys=keys, values=values)
    check_dtype("decode_attention", "lengths", lengths, *INTEGERS, device=query.device)
    chosen = select("attention", implementation, device=query.device, dtype=query.dtype)
    if chosen == "reference" or not _decodable(query, keys, values, chosen):
        return reference.decode_attention(query, keys, values, lengths, scale)
    if longest is None:
        longest = int(lengths.max()) if len(lengths) else 0
    return _decode(query, keys, values, lengths, longest, scale, chosen)


def _decodable(query: Tensor, keys: Tensor, values: Tensor, chosen: str) -> bool:
    """Return whether the chosen decode kernel knows these dtypes; a GPU's knows float16 as well."""
    known = {torch.float32, torch.bfloat16}
    if chosen == "triton":
        known.add(torch.float16)
    return query.dtype in known and keys.dtype in known and values.dtype == keys.dtype


def _by_reference(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    segments: Segments,
    memory: KeyValueMemory | None,
    *,
    scale: float,
    dropout: float,
) -> Tensor:
    if memory is None:
        return reference.attention(query, key, value, segments, scale=scale, dropout=dropout)
    return reference.attention_with_memory(
        query, memory.keys, memory.values, segments, memory.lengths, scale=scale, dropout=dropout
    )


def _decode(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    lengths: Tensor,
    longest: int,
    scale: float,
    chosen: str,
) -> Tensor:
    if not longest:
        return torch.zeros_like(query)
    differentiable = query.requires_grad or keys.requires_grad or values.requires_grad
    if differentiable and torch.is_grad_enabled():
        mixed: Tensor = _Decode.apply(  # type: ignore[no-untyped-call]
            query, keys, values, lengths, longest, scale, chosen
        )
        return mixed
    mixed, _ = _kernels(chosen).decode_forward(query, keys, values, lengths, longest, scale)
    return mixed


def _kernels(chosen: str) -> ModuleType:
    if chosen == "triton":
        from jamba_reader.ops.attention.gpu import launch as gpu

        return gpu
    from jamba_reader.ops.attention.cpu import launch as cpu

    return cpu


class _Decode(torch.autograd.Function):
    """Attention of one token per sequence, with the kernels' own backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        keys: Tensor,
        values: Tensor,
        lengths: Tensor,
        longest: int,
        scale: float,
        chosen: str,
    ) -> Tensor:
        """Attend, and keep the result and the log of each softmax's sum."""
        operands = (query, keys, values, lengths)
        mixed: Tensor
        mixed, logs = _kernels(chosen).decode_forward(*operands, longest, scale)
        ctx.save_for_backward(*operands, mixed, logs)
        ctx.settings = (longest, scale, chosen)
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of query, keys and values."""
        longest, scale, chosen = ctx.settings
        *operands, mixed, logs = ctx.saved_tensors
        found = _kernels(chosen).decode_backward(
            gradients[0], *operands, longest, scale, mixed, logs
        )
        return (*found, None, None, None, None)
