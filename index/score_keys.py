"""Scores and positions packed into integers whose order is that of a ranking.

The upper 32 bits of a key are the float32 score, mapped to an integer of the same order. The lower
32 bits fall as the position rises. The greatest keys are therefore the best passages, with ties
ordered by ascending position, and a selection by ``np.partition`` is exact.
"""

from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from spider.ranking import NO_PASSAGE, Hits

LOW = np.int64(0xFFFFFFFF)
PADDING = np.iinfo(np.int64).min


def pack(
    scores: Float32[np.ndarray, "*rows"], positions: Int64[np.ndarray, "*rows"]
) -> Int64[np.ndarray, "*rows"]:
    """Pack finite scores and positions below 2³² - 1; position -1 becomes padding."""
    # adding zero turns -0.0 into 0.0: they are equal as floats but differ in their bits
    bits = (scores + np.float32(0)).view(np.int32)
    ordered = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    keys = (ordered << np.int64(32)) | (LOW - positions)
    return np.where(positions == NO_PASSAGE, PADDING, keys)


def best(keys: Int64[np.ndarray, "questions width"], depth: int) -> Int64[np.ndarray, "..."]:
    """Select the ``depth`` greatest keys of each row, in no particular order."""
    width = keys.shape[1]
    if width <= depth:
        return keys
    return np.partition(keys, width - depth, axis=1)[:, width - depth :]


def unpack(keys: Int64[np.ndarray, "questions width"], depth: int) -> Hits:
    """Order each row's keys, best first, and return them as Hits padded to ``depth``."""
    kept = np.sort(best(keys, depth), axis=1)[:, ::-1]
    absent = kept == PADDING
    bits = (kept >> np.int64(32)).astype(np.int32)
    scores = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).view(np.float32)
    positions = LOW - (kept & LOW)
    shape: Any = (len(keys), depth)
    padded = Hits(
        np.full(shape, NO_PASSAGE, dtype=np.int64), np.full(shape, -np.inf, dtype=np.float32)
    )
    width = kept.shape[1]
    padded.positions[:, :width] = np.where(absent, NO_PASSAGE, positions)
    padded.scores[:, :width] = np.where(absent, np.float32(-np.inf), scores)
    return padded
