"""Attention of prompts through PyTorch's fused kernels, never with a [queries, keys] matrix.

A continued sequence attends to its past (all of it visible) and to its new tokens (causally). On a
CPU these are two calls of the flash kernel, which also returns the log of each softmax's sum. With
the logs, the two results are merged exactly. The backward pass of each part needs only the merged
output and sum (FlashAttention, arXiv:2205.14135, section 3.1; splitting over keys:
Flash-Decoding, PyTorch blog, 2023-10-13). On CUDA the flash kernel aligns its causal mask to the
lower right corner by itself. Keys and values are not repeated for the heads of a group, except for
float32 on CUDA, whose memory-efficient kernel has no groups.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.attention.bias import causal_lower_right
from torch.nn.functional import scaled_dot_product_attention

from jamba_reader.ops.segments import Segments

_flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_flash_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


class Run(NamedTuple):
    """Neighbouring sequences with equally many new and equally many earlier tokens.

    Attributes:
        sequences: the numbers of the sequences.
        rows: the rows of their new tokens.
        past: earlier tokens of each.
    """

    sequences: slice
    rows: slice
    past: int


def runs(segments: Segments, lengths: Sequence[int] | None) -> Iterator[Run]:
    """Group the non-empty sequences, so that each group is one dense batch.

    Args:
        segments: new tokens.
        lengths: earlier and new tokens of each sequence; None where there are no earlier ones.
    """
    totals = segments.lengths if lengths is None else lengths
    past = [total - new for total, new in zip(totals, segments.lengths, strict=True)]
    shapes = list(zip(segments.lengths, past, strict=True))
    first = 0
    for last in range(1, len(shapes) + 1):
        if last < len(shapes) and shapes[last] == shapes[first]:
            continue
        if shapes[first][0]:
            rows = slice(segments.starts[first], segments.starts[last])
            yield Run(slice(first, last), rows, shapes[first][1])
        first = last


def prefill_attention(
    query: Float[Tensor, "tokens heads head_dim"],
    key: Float[Tensor, "tokens kv_heads head_dim"],
    value: Float[Tensor, "tokens kv_heads head_dim"],
    segments: Segments,
    memory: tuple[Tensor, Tensor, Sequence[int]] | None,
    *,
    scale: float,
    dropout: float = 0.0,
) -> Float[Tensor, "tokens heads head_dim"]:
    """Attend from each sequence's new tokens to themselves and to what came before.

    Args:
        query: the queries of the new tokens.
        key: the keys of the new tokens.
        value: the values of the new tokens.
        segments: which rows belong to which sequence.
        memory: keys, values ``[sequences, kv_heads, capacity, head_dim]`` and lengths with the new
            tokens at the end; None where there is no past.
        scale: the factor of the scores.
        dropout: share of attention weights dropped; on CUDA only.
    """
    mixed = []
    for run in runs(segments, None if memory is None else memory[2]):
        count = run.sequences.stop - run.sequences.start
        # [sequences, heads, new tokens, head_dim], views
        new = [
            tensor[run.rows].reshape(count, -1, *tensor.shape[1:]).transpose(1, 2)
            for tensor in (query, key, value)
        ]
        earlier = None if memory is None or not run.past else (*memory[:2], run)
        if query.device.type == "cpu":
            output = _on_cpu(new, earlier, scale)
        else:
            output = _on_cuda(new, earlier, scale, dropout)
        mixed.append(output.transpose(1, 2).flatten(0, 1))
    if len(mixed) == 1:
        return mixed[0]
    return torch.cat(mixed) if mixed else query.new_empty(query.shape)


def _on_cpu(
    new: Sequence[Tensor], earlier: tuple[Tensor, Tensor, Run] | None, scale: float
) -> Tensor:
    if earlier is None:
        return _with_nan(*_attended(new[0], new[1], new[2], True, scale))
    keys, values, run = earlier
    past = [tensor[run.sequences, :, : run.past] for tensor in (keys, values)]
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (*new, *past)):
        output: Tensor = _PastAndPresent.apply(  # type: ignore[no-untyped-call]
            *new, *past, scale
        )
        return output
    return _merged(new, past, scale)[0]


def _merged(
    new: Sequence[Tensor], past: Sequence[Tensor], scale: float
) -> tuple[
    Float[Tensor, "sequences heads queries head_dim"], Float[Tensor, "sequences heads queries"]
]:
    """Return attention to past and present, and the log of the sum of exponentials of its scores.

    With sums s = eˡ of either part, output = (s₁ o₁ + s₂ o₂) / (s₁ + s₂). The share
    s₁ / (s₁ + s₂) is the sigmoid of l₁ - l₂.
    """
    present, present_log = _attended(new[0], new[1], new[2], True, scale)
    before, before_log = _attended(new[0], past[0], past[1], False, scale)
    share = torch.sigmoid(before_log - present_log).unsqueeze(-1)
    merged = torch.lerp(present.to(share.dtype), before.to(share.dtype), share).to(present.dtype)
    log = torch.logaddexp(before_log, present_log)
    return _with_nan(merged, log), log


def _attended(
    query: Float[Tensor, "sequences heads queries head_dim"],
    key: Float[Tensor, "sequences kv_heads keys head_dim"],
    value: Float[Tensor, "sequences kv_heads keys head_dim"],
    causal: bool,
    scale: float,
) -> tuple[
    Float[Tensor, "sequences heads queries head_dim"], Float[Tensor, "sequences heads queries"]
]:
    """Call PyTorch's flash kernel, and correct the log of a sum that the kernel takes for empty.

    If no score of a query is above minus infinity, the kernel returns zeros and, as their log, 0.
    In the last up to 15 keys, NaN counts as minus infinity too. Otherwise a log of 0 is rare.
    """
    output, log = _flash(query, key, value, 0.0, causal, scale=scale)
    for sequence, head, row in (log == 0).nonzero().tolist():
        seen = row + 1 if causal else key.shape[2]
        keys = key[sequence, head * key.shape[1] // query.shape[1], :seen].detach()
        scores = scale * (keys.to(log.dtype) @ query[sequence, head, row].detach().to(log.dtype))
        correct = scores.logsumexp(0)
        if not bool(correct.isfinite()):
            log = log.clone()  # autograd may keep the kernel's own
            log[sequence, head, row] = correct
    return output, log


def _with_nan(
    output: Float[Tensor, "sequences heads queries head_dim"],
    log: Float[Tensor, "sequences heads queries"],
) -> Float[Tensor, "sequences heads queries head_dim"]:
    """Return NaN where the softmax has no value: a score is NaN or infinite, or all are -infinity.

    For bfloat16 and float16 PyTorch's kernel (2.13) takes a fast exponential that turns NaN into
    a number: its output is then 0, and only the log of the sum is not finite.
    """
    finite = log.isfinite()
    if bool(finite.all()):
        return output
    # a product, so that gradients become NaN as well
    return output * torch.where(finite, 1.0, torch.nan).to(output.dtype).unsqueeze(-1)


class _PastAndPresent(torch.autograd.Function):
    """Attention to a past and a causal present, its backward pass in bounded memory."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        past_keys: Tensor,
        past_values: Tensor,
        scale: float,
    ) -> Tensor:
        """Attend, and keep the output and the log-sum-exp."""
        merged, log = _merged((query, key, value), (past_keys, past_values), scale)
        ctx.save_for_backward(query, key, value, past_keys, past_values, merged, log)
        ctx.scale = scale
        return merged

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Differentiate each part with the merged output and log; add the query's gradients."""
        query, key, value, past_keys, past_values, merged, log = ctx.saved_tensors
        whole = (merged, log)
        gradient = gradients[0].to(merged.dtype)
        present = _flash_backward(gradient, query, key, value, *whole, 0.0, True, scale=ctx.scale)
        past = _flash_backward(
            gradient, query, past_keys, past_values, *whole, 0.0, False, scale=ctx.scale
        )
        return (present[0] + past[0], *present[1:], *past[1:], None)


def _on_cuda(
    new: Sequence[Tensor],
    earlier: tuple[Tensor, Tensor, Run] | None,
    scale: float,
    dropout: float,
) -> Tensor:
    query, key, value = new
    if earlier is not None:
        keys, values, run = earlier
        total = run.past + query.shape[2]
        key, value = (tensor[run.sequences, :, :total] for tensor in (keys, values))
    grouped = query.shape[1] != key.shape[1]
    if grouped and query.dtype == torch.float32:
        # the memory-efficient kernel, float32's only fused one, needs equally many heads
        group = query.shape[1] // key.shape[1]
        key, value = (tensor.repeat_interleave(group, dim=1) for tensor in (key, value))
        grouped = False
    causal = causal_lower_right(query.shape[2], key.shape[2])
    return scaled_dot_product_attention(
        query, key, value, attn_mask=causal, dropout_p=dropout, scale=scale, enable_gqa=grouped
    )
