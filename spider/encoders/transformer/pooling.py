"""Pooling: the states of a text's tokens become one vector.

Source: the ``Pooling`` module of sentence-transformers 6.2, whose results these functions equal
(tested). Rows are padded on the right.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from spider.encoders.transformer.recipe import Pooling

SMALLEST_SUM = 1e-9
States = Float[Tensor, "texts length hidden"]
Mask = Int64[Tensor, "texts length"]
Vectors = Float[Tensor, "texts hidden"]


def pool(states: States, mask: Mask, mode: Pooling, *, skipped: int = 0) -> Vectors:
    """Pool the states of each text.

    Args:
        states: the last states of the transformer.
        mask: 1 for a token, 0 for padding.
        mode: how.
        skipped: tokens at the beginning of every text that take no part: those of a prompt.
    """
    if skipped:
        mask = mask.clone()
        mask[:, :skipped] = 0
    return POOLINGS[mode](states, mask)


def _first(states: States, mask: Mask) -> Vectors:
    return states[torch.arange(len(states), device=states.device), mask.int().argmax(1)]


def _last(states: States, mask: Mask) -> Vectors:
    places = torch.arange(mask.shape[1], device=mask.device)
    last = (mask * places).argmax(1)
    rows = torch.arange(len(states), device=states.device)
    return states[rows, last] * mask[rows, last, None].to(states.dtype)


def _maximum(states: States, mask: Mask) -> Vectors:
    return states.masked_fill(mask[:, :, None] == 0, -torch.inf).amax(1)


def _sum(states: States, weights: Float[Tensor, "texts length"]) -> Vectors:
    return (states.float() * weights[:, :, None]).sum(1)


def _mean(states: States, mask: Mask) -> Vectors:
    weights = mask.float()
    return _sum(states, weights) / weights.sum(1, keepdim=True).clamp(min=SMALLEST_SUM)


def _mean_sqrt_len(states: States, mask: Mask) -> Vectors:
    weights = mask.float()
    return _sum(states, weights) / weights.sum(1, keepdim=True).clamp(min=SMALLEST_SUM).sqrt()


def _weighted_mean(states: States, mask: Mask) -> Vectors:
    """Weigh the token at place i by i + 1; a skipped prompt does not change the places."""
    places = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    weights = (mask * places).float()
    return _sum(states, weights) / weights.sum(1, keepdim=True).clamp(min=SMALLEST_SUM)


POOLINGS: dict[Pooling, Callable[[States, Mask], Vectors]] = {
    "cls": _first,
    "mean": _mean,
    "max": _maximum,
    "mean_sqrt_len": _mean_sqrt_len,
    "weighted_mean": _weighted_mean,
    "last_token": _last,
}
