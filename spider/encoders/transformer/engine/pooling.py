"""Pooling over packed states: the same results as ``transformer.pooling`` without padding."""

import math
from collections.abc import Sequence
from typing import no_type_check

import numpy as np
from jaxtyping import Float32, Int64

from spider.compilation import njit
from spider.encoders.transformer.pooling import SMALLEST_SUM
from spider.encoders.transformer.recipe import Pooling

_CLS, _MEAN, _MAX, _MEAN_SQRT, _WEIGHTED, _LAST = range(6)
_CODES: dict[Pooling, int] = {
    "cls": _CLS,
    "mean": _MEAN,
    "max": _MAX,
    "mean_sqrt_len": _MEAN_SQRT,
    "weighted_mean": _WEIGHTED,
    "last_token": _LAST,
}


def pool_packed(
    states: Float32[np.ndarray, "tokens hidden"],
    offsets: Int64[np.ndarray, " texts_plus_one"],
    modes: Sequence[Pooling],
    *,
    skipped: int = 0,
) -> Float32[np.ndarray, "texts pooled"]:
    """Pool the states of each text; one vector for each mode, end to end.

    Args:
        states: the last states of the transformer, texts end to end.
        offsets: where each text begins, and the number of tokens.
        modes: how.
        skipped: tokens at the beginning of every text that take no part: those of a prompt.
    """
    hidden = states.shape[1]
    pooled = np.empty((len(offsets) - 1, hidden * len(modes)), dtype=np.float32)
    for number, mode in enumerate(modes):
        part = pooled[:, hidden * number : hidden * (number + 1)]
        _pool(states, offsets, _CODES[mode], skipped, part)
    return pooled


@njit
@no_type_check
def _sum(states, start, first, end, weighted, vector):
    """Sum states, each times its place if ``weighted``; return the sum of the weights."""
    vector[:] = np.float32(0)
    total = np.float32(0)
    for token in range(first, end):
        weight = np.float32(token - start + 1 if weighted else 1)
        total += weight
        for c in range(len(vector)):
            vector[c] += weight * states[token, c]
    return max(total, np.float32(SMALLEST_SUM))


@njit(nogil=True, error_model="numpy")
@no_type_check
def _pool(states, offsets, code, skipped, pooled):
    for text in range(len(offsets) - 1):
        start, end = offsets[text], offsets[text + 1]
        first = start + skipped
        vector = pooled[text]
        if code == _CLS:
            vector[:] = states[first if first < end else start]
        elif code == _LAST:
            vector[:] = np.float32(0)
            if first < end:
                vector[:] = states[end - 1]
        elif code == _MAX:
            vector[:] = np.float32(-np.inf)
            for token in range(first, end):
                vector[:] = np.maximum(vector, states[token])
        else:
            total = _sum(states, start, first, end, code == _WEIGHTED, vector)
            vector /= np.float32(math.sqrt(total)) if code == _MEAN_SQRT else total
