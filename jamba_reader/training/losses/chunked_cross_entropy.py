"""Cross-entropy over a large vocabulary without a tensor of [tokens, vocabulary].

The product with the head, the softmax and both gradients are computed for a few rows at a time, and
the logits of a chunk are not kept. The backward pass would need the logits again, so the forward
pass computes the gradients, and the backward pass multiplies them by the gradient of the loss. A
loss of L tokens keeps two tensors, [L, hidden] and [vocabulary, hidden]. The plain computation
keeps [L, vocabulary] two or three times.

Source: the gradient of the softmax cross-entropy with respect to the logits is ``p - onehot``
(Bridle 1990). Chunking over rows changes only the order of the sums in the head's gradient.
"""

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import cross_entropy

IGNORED = -100
"""Target of rows that are not part of the loss."""
CHUNK_BYTES = {"cpu": 16 << 20}
"""Size of the logits of one chunk: small enough for a CPU's cache, large enough to fill a GPU."""
GPU_CHUNK_BYTES = 256 << 20


def chunked_cross_entropy(
    hidden: Float[Tensor, "tokens hidden"],
    weight: Float[Tensor, "vocabulary hidden"],
    targets: Int64[Tensor, " tokens"],
    *,
    row_weights: Float[Tensor, " tokens"] | None = None,
    chunk_rows: int | None = None,
) -> Float[Tensor, ""]:
    """Return the sum over rows of ``weight_i * -log softmax(hidden_i @ weight.T)[target_i]``.

    It is a sum, not a mean, so that the losses of several chunks of one step can be added. Divide
    it by the number (or the weights) of the rows. Logits, softmax and sum are float32, or float64
    for float64.

    Args:
        hidden: states after the last norm; rows whose target is :data:`IGNORED` are removed
            before anything is computed.
        weight: weight of the head; its gradient is accumulated in float32.
        targets: token ids, or :data:`IGNORED`.
        row_weights: factor of each row; None stands for 1. It gets no gradient.
        chunk_rows: rows of a chunk; None chooses them by the size of their logits.
    """
    kept = (targets != IGNORED).nonzero().squeeze(1)
    if kept.shape[0] < targets.shape[0]:
        hidden, targets = hidden.index_select(0, kept), targets.index_select(0, kept)
        row_weights = None if row_weights is None else row_weights.index_select(0, kept)
    if chunk_rows is None:
        budget = CHUNK_BYTES.get(hidden.device.type, GPU_CHUNK_BYTES)
        chunk_rows = max(16, budget // (4 * weight.shape[0]))
    total: Tensor = _ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]
        hidden, weight, targets, row_weights, chunk_rows, torch.is_grad_enabled()
    )
    return total


def cross_entropy_reference(
    hidden: Float[Tensor, "tokens hidden"],
    weight: Float[Tensor, "vocabulary hidden"],
    targets: Int64[Tensor, " tokens"],
    *,
    row_weights: Float[Tensor, " tokens"] | None = None,
) -> Float[Tensor, ""]:
    """Return the same sum with PyTorch's own cross-entropy and all logits at once."""
    logits = hidden @ weight.T
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    losses = cross_entropy(logits, targets, reduction="none", ignore_index=IGNORED)
    return losses.sum() if row_weights is None else (losses * row_weights).sum()


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        targets: Tensor,
        row_weights: Tensor | None,
        chunk_rows: int,
        differentiate: bool,
    ) -> Tensor:
        wide = torch.promote_types(hidden.dtype, torch.float32)
        total = torch.zeros((), dtype=wide, device=hidden.device)
        of_hidden = of_weight = None
        if differentiate and ctx.needs_input_grad[0]:
            of_hidden = torch.empty_like(hidden)
        if differentiate and ctx.needs_input_grad[1]:
            of_weight = torch.zeros_like(weight, dtype=wide)
        head = weight.to(hidden.dtype)
        for start in range(0, hidden.shape[0], chunk_rows):
            rows = slice(start, start + chunk_rows)
            scale = None if row_weights is None else row_weights[rows, None].to(wide)
            logits = (hidden[rows] @ head.T).to(wide)
            total += _chunk_loss(logits, targets[rows, None], scale)
            if of_hidden is None and of_weight is None:
                continue
            gradient = logits.to(hidden.dtype)
            if of_hidden is not None:
                of_hidden[rows] = gradient @ head
            if of_weight is not None:
                of_weight += gradient.T @ hidden[rows]
        ctx.save_for_backward(of_hidden, of_weight)
        ctx.weight_dtype = weight.dtype
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        of_hidden, of_weight = ctx.saved_tensors
        if of_hidden is not None:
            of_hidden = of_hidden * gradient.to(of_hidden.dtype)
        if of_weight is not None:
            of_weight = (of_weight * gradient).to(ctx.weight_dtype)
        return of_hidden, of_weight, None, None, None, None


def _chunk_loss(logits: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
    """Return the loss of one chunk, and replace its logits by their gradient."""
    normalizer = logits.logsumexp(dim=1, keepdim=True)
    losses = normalizer - logits.gather(1, targets)
    logits.sub_(normalizer).exp_()
    logits.scatter_add_(1, targets, torch.full_like(losses, -1.0))
    if scale is not None:
        losses = losses * scale
        logits.mul_(scale)
    return losses.sum()
