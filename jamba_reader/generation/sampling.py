"""Chooses the next token from the model's scores: penalties, cut-offs and sampling.

Each function equals the logits processor of transformers with the same purpose (tested), and works
on all rows of a batch at once. The order is repetition penalty, constraint, temperature, top-k,
top-p.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from spider.errors import CheckpointError

COLDEST = 1e-6
"""Lowest divisor of the scores: only the best token has a probability, and less would overflow."""

Scores = Float[Tensor, "rows vocabulary"]


def penalise_repetition(
    scores: Scores, seen: Bool[Tensor, "rows vocabulary"], penalty: float
) -> Scores:
    """Lower the scores of tokens seen before (CTRL, arXiv:1909.05858, section 4.1).

    Args:
        scores: logits, or log-probabilities in a beam search.
        seen: the tokens in each row's prompt and continuation.
        penalty: positive scores are divided by it, negative scores multiplied; 1 changes nothing.
    """
    penalised = torch.where(scores < 0, scores * penalty, scores / penalty)
    return torch.where(seen, penalised, scores)


def tokens_seen(
    prompts: Sequence[Sequence[int]], scores: Scores
) -> Bool[Tensor, "rows vocabulary"]:
    """Return which tokens occur in each row's prompt."""
    seen = torch.zeros_like(scores, dtype=torch.bool)
    for row, prompt in zip(seen, prompts, strict=True):
        row[torch.tensor(list(prompt), dtype=torch.int64, device=seen.device)] = True
    return seen


def keep_top_k(scores: Scores, k: int) -> Scores:
    """Forbid all but the ``k`` best tokens of each row; ties with the last one stay."""
    last = torch.topk(scores, min(k, scores.shape[-1])).values[:, -1:]
    return scores.masked_fill(scores < last, -torch.inf)


def keep_top_p(scores: Scores, p: float) -> Scores:
    """Keep each row's smallest set of best tokens of probability ``p`` (arXiv:1904.09751)."""
    ascending, order = torch.sort(scores)
    # the probabilities below the kept set sum to at most 1 - p; the best token always stays
    below = ascending.softmax(dim=-1).cumsum(dim=-1) <= 1.0 - p
    below[:, -1] = False
    return scores.masked_fill(torch.zeros_like(below).scatter(1, order, below), -torch.inf)


def warp(scores: Scores, *, temperature: float, top_k: int, top_p: float) -> Scores:
    """Apply temperature, top-k and top-p to the scores.

    Args:
        scores: logits; minus infinity for forbidden tokens.
        temperature: above 0; the scores are divided by it.
        top_k: keep this many tokens; 0 keeps all.
        top_p: keep the best tokens with this total probability; 1 keeps all.
    """
    scores = scores / max(temperature, COLDEST)
    if top_k > 0:
        scores = keep_top_k(scores, top_k)
    return keep_top_p(scores, top_p) if top_p < 1.0 else scores


def log_probabilities(logits: Scores) -> Scores:
    """Return the model's own log-probabilities of the next token.

    Raises:
        CheckpointError: the logits of a row are not numbers.
    """
    found = logits.log_softmax(dim=-1)
    # one logit that is not a number, or is infinite, makes the whole row not a number
    if bool(found[:, :1].isnan().any()):
        raise CheckpointError(
            "the model's scores are not numbers: its weights are damaged, or activations overflow "
            "float16; download the checkpoint again, or load it in bfloat16 or float32"
        )
    return found


def draw(scores: Scores, uniforms: Sequence[float]) -> Int64[Tensor, " rows"]:
    """Draw one token of each row by inverting its cumulative distribution.

    Args:
        scores: logits; minus infinity is never drawn.
        uniforms: a number in [0, 1) for each row.
    """
    cumulative = scores.double().softmax(dim=-1).cumsum(dim=-1)
    points = torch.tensor(list(uniforms), dtype=torch.float64, device=scores.device)[:, None]
    # slightly below the total, which rounding may leave under 1, so that no token after the last
    # one with a probability is drawn
    points = points * cumulative[:, -1:] * (1.0 - 2.0**-50)
    return torch.searchsorted(cumulative, points, right=True)[:, 0]


def row_random(seed: int, prompt: Sequence[int], sample: int) -> np.random.Generator:
    """Return the random generator of one row, which does not depend on the rest of its batch.

    Args:
        seed: seed of the run.
        prompt: the row's prompt; different prompts give different numbers.
        sample: index of the row among the samples of its prompt.
    """
    digest = hashlib.blake2b(np.asarray(prompt, dtype=np.int64).tobytes(), digest_size=16)
    words = np.frombuffer(digest.digest(), dtype=np.uint32).tolist()
    return np.random.default_rng([seed, sample, *words])
