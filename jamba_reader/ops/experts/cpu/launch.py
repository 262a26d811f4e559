"""Routed experts on a CPU: few rows through numba, more through one matrix product per expert.

The (token, choice) pairs are sorted by expert. An expert with few rows is read once at the speed of
memory (``few_rows``); one with more gathers its rows, multiplies, and adds what it returns to the
tokens' sums, which are float32 and always taken in the experts' order. There is one buffer of each
kind, of the size that the busiest expert needs; experts without tokens cost nothing.

Int8 weights are widened a few rows at a time, exactly, and the product is scaled once.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from jamba_reader.ops.activation import ActivationName, activation_code
from jamba_reader.ops.experts.cpu.few_rows import experts_few_rows
from jamba_reader.ops.experts.cpu.rows import (
    add_rows,
    gate_rows,
    gate_rows_backward,
    sort_by_expert,
)
from jamba_reader.ops.experts.operands import ExpertGradients, ExpertWeights
from jamba_reader.ops.linear.cpu.launch import linear_few_rows
from jamba_reader.ops.machine.operands import KINDS, address_of, dense_rows, rows_of
from jamba_reader.ops.machine.threads import match_threads
from jamba_reader.ops.row_limits import product_rows
from spider.errors import DataError

DTYPES = (torch.float32, torch.bfloat16)

_TILE = 1 << 23
"""Int8 weights widened at a time: 16 MiB of bfloat16, which a large cache still holds when they are
multiplied. Smaller tiles start the threads more often, which on a busy machine costs the most."""

_NO_SCALE = np.zeros(0, np.float32)


class Routing(NamedTuple):
    """The pairs sorted by expert: which tokens, with which weights, and where experts begin."""

    order: np.ndarray
    tokens: np.ndarray
    shares: np.ndarray
    offsets: np.ndarray

    def busy(self, above: int) -> list[tuple[int, int, int]]:
        """Return (expert, first pair, end) of the experts with more than ``above`` pairs."""
        bounds = self.offsets.tolist()
        return [
            (expert, first, last)
            for expert, (first, last) in enumerate(pairwise(bounds))
            if last - first > above
        ]


class Kept(NamedTuple):
    """What the backward pass needs of the forward pass."""

    routing: Routing
    gate_up: Tensor


def route(expert_ids: Tensor, expert_weights: Tensor, experts: int) -> Routing:
    """Sort the pairs by expert.

    Raises:
        DataError: an id is not that of an expert.
    """
    ids = expert_ids.contiguous().numpy()
    order, offsets = sort_by_expert(ids, experts)
    if offsets[-1] < 0:
        raise DataError(
            f"expert ids run from {ids.min()} to {ids.max()}, expected 0 to {experts - 1}"
        )
    shares = expert_weights.detach().to(torch.float32).numpy().reshape(-1)[order]
    return Routing(order, order // expert_ids.shape[1], shares, offsets)


def forward(
    x: Tensor,
    experts: ExpertWeights,
    expert_ids: Tensor,
    expert_weights: Tensor,
    activation: ActivationName,
    *,
    keep: bool,
) -> tuple[Tensor, Kept | None]:
    """Return the experts' weighted sum, and with ``keep`` what ``backward`` needs."""
    match_threads()
    routing = route(expert_ids, expert_weights, len(experts.gate_up))
    total = torch.zeros(x.shape, dtype=torch.float32, device="cpu")
    code = activation_code(activation)
    few = 0 if keep else product_rows(experts.down.dtype)
    busy = routing.busy(few)
    if sum(last - first for _, first, last in busy) < len(routing.tokens):
        rows = dense_rows(x.detach())
        experts_few_rows(
            _in_memory(experts),
            rows_of(rows),
            routing.tokens,
            routing.shares,
            routing.offsets,
            few,
            code,
            total.numpy(),
        )
    kept = _forward_many(x, experts, routing, code, busy, total, keep=keep)
    return total.to(x.dtype), Kept(routing, kept) if kept is not None else None


def _forward_many(
    x: Tensor,
    experts: ExpertWeights,
    routing: Routing,
    code: int,
    busy: list[tuple[int, int, int]],
    total: Tensor,
    *,
    keep: bool,
) -> Tensor | None:
    """Add what the busy experts return; return their gate_up products if they are kept."""
    hidden, width = experts.down.shape[1:]
    longest = max((last - first for _, first, last in busy), default=0)
    rows = len(routing.tokens) if keep else longest
    gate_up = x.new_empty(rows, 2 * width)
    inner = x.new_empty(longest, width)
    returned = x.new_empty(longest, hidden)
    gathered = x.new_empty(longest, hidden)
    for expert, first, last in busy:
        count = last - first
        tokens = routing.tokens[first:last]
        chosen = _gather(x, tokens, gathered)
        both = gate_up[first:last] if keep else gate_up[:count]
        multiply(chosen, experts.gate_up[expert], both)
        gate_rows(
            as_array(both), _scale(experts.gate_up_scale, expert), code, as_array(inner[:count])
        )
        multiply(inner[:count], experts.down[expert], returned[:count])
        add_rows(
            as_array(returned[:count]),
            tokens,
            routing.shares[first:last],
            _scale(experts.down_scale, expert),
            total.numpy(),
        )
    return gate_up if keep else None


def backward(
    upstream: Tensor,
    kept: Kept,
    x: Tensor,
    experts: ExpertWeights,
    expert_weights: Tensor,
    activation: ActivationName,
    *,
    of_x: bool,
    of_weights: bool,
) -> ExpertGradients:
    """Return the gradients of ``forward``'s result; of float weights only if asked.

    With g the gradient of a token's output and D = g @ down: the share's is ``<inner, D>`` and the
    inner activations' is ``share * D``, so what the expert returned need not be kept.
    """
    match_threads()
    routing, code = kept.routing, activation_code(activation)
    busy = routing.busy(0)
    longest = max((last - first for _, first, last in busy), default=0)
    hidden, width = experts.down.shape[1:]
    grads = ExpertGradients(
        x=torch.zeros(x.shape, dtype=torch.float32, device="cpu") if of_x else None,
        gate_up=torch.zeros_like(experts.gate_up) if of_weights else None,
        down=torch.zeros_like(experts.down) if of_weights else None,
        expert_weights=None,
    )
    shares = np.empty(len(routing.tokens), np.float32)
    buffers = [x.new_empty(longest, size) for size in (hidden, width, width, 2 * width, hidden)]
    for expert, first, last in busy:
        tokens = routing.tokens[first:last]
        g, d_inner, inner, d_both, d_x = (buffer[: last - first] for buffer in buffers)
        torch.index_select(upstream, 0, torch.from_numpy(tokens), out=g)
        scaled = g if experts.down_scale is None else g * experts.down_scale[expert]
        torch.mm(scaled.to(x.dtype), experts.down[expert].to(x.dtype), out=d_inner)
        gate_rows_backward(
            as_array(kept.gate_up[first:last]),
            _scale(experts.gate_up_scale, expert),
            code,
            as_array(d_inner),
            routing.shares[first:last],
            as_array(inner),
            as_array(d_both),
            shares[first:last],
        )
        if grads.gate_up is not None and grads.down is not None:
            torch.mm(g.t(), inner, out=grads.down[expert])
            chosen = x.detach().index_select(0, torch.from_numpy(tokens))
            torch.mm(d_both.t(), chosen, out=grads.gate_up[expert])
        if grads.x is not None:
            torch.mm(d_both, experts.gate_up[expert].to(x.dtype), out=d_x)
            add_rows(as_array(d_x), tokens, _NO_SCALE, _NO_SCALE, grads.x.numpy())
    d_shares = torch.empty(len(routing.tokens), dtype=torch.float32, device="cpu")
    d_shares[torch.from_numpy(routing.order)] = torch.from_numpy(shares)
    return grads._replace(
        x=None if grads.x is None else grads.x.to(x.dtype),
        expert_weights=d_shares.view_as(expert_weights).to(expert_weights.dtype),
    )


def linear(x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """Return ``(x @ weight.T) * scale`` for int8 weights."""
    if len(x) <= product_rows(weight.dtype):
        return linear_few_rows(x, weight, scale=scale)
    match_threads()
    product = x.new_empty(len(x), len(weight))
    multiply(x.detach(), weight, product)
    return product.mul_(scale)


def multiply(x: Tensor, weight: Tensor, out: Tensor) -> None:
    """Write ``x @ weight.T``, int8 weights taken as the integers they are, in x's dtype."""
    if weight.dtype == x.dtype:
        torch.mm(x, weight.t(), out=out)
        return
    block = max(1, _TILE // max(1, weight.shape[1]))
    tile = x.new_empty(min(block, len(weight)), weight.shape[1])
    for start in range(0, len(weight), block):
        part = weight[start : start + block]
        torch.mm(x, tile[: len(part)].copy_(part).t(), out=out[:, start : start + len(part)])


def as_array(tensor: Tensor) -> np.ndarray:
    """Return a tensor's memory as numpy sees it; bfloat16 as int16."""
    tensor = tensor.detach()
    return (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _gather(x: Tensor, tokens: np.ndarray, buffer: Tensor) -> Tensor:
    """Return ``x[tokens]``: x itself if those are all of them, otherwise written to ``buffer``."""
    x = x.detach()
    if len(tokens) == len(x) and np.array_equal(tokens, np.arange(len(x))):
        return x
    out = buffer[: len(tokens)]
    return torch.index_select(x, 0, torch.from_numpy(tokens), out=out)


def _in_memory(experts: ExpertWeights) -> tuple[int, int, int, int, int, int]:
    """Return the weights as ``experts_few_rows`` takes them."""
    return (
        experts.gate_up.data_ptr(),
        address_of(experts.gate_up_scale),
        experts.down.data_ptr(),
        address_of(experts.down_scale),
        experts.down.shape[2],
        KINDS[experts.down.dtype],
    )


def _scale(scales: Tensor | None, expert: int) -> np.ndarray:
    return _NO_SCALE if scales is None else scales[expert].numpy()
