"""Alignment of rankings by passage: the first and the last step of every fusion."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from index.fusion.contract import Fused
from index.score_keys import pack, unpack
from spider.ranking import NO_PASSAGE, Hits


class Aligned(NamedTuple):
    """The union of several rankings.

    Attributes:
        positions: the positions of the union's passages, ascending; -1 in unused columns.
        scores: each ranking's scores, by name; nan where it lacks the passage.
    """

    positions: Int64[np.ndarray, "questions union"]
    scores: Mapping[str, Float64[np.ndarray, "questions union"]]


def align(rankings: Mapping[str, Hits]) -> Aligned:
    """Align rankings of the same questions by passage, in ascending position."""
    listed = np.concatenate([hits.positions for hits in rankings.values()], axis=1)
    if listed.shape[1] == 0:
        return Aligned(listed, {name: np.empty(listed.shape) for name in rankings})
    # one sort of (position, ranking, column): the entries of one passage become neighbours
    columns = np.arange(listed.shape[1], dtype=np.int64)
    width = np.int64(listed.shape[1])
    keys = np.sort(listed * width + columns, axis=1)
    order = keys % width
    listed = (keys - order) // width
    rows = np.broadcast_to(np.arange(len(listed))[:, None], listed.shape)
    present = listed != NO_PASSAGE
    first = present.copy()
    first[:, 1:] &= listed[:, 1:] != listed[:, :-1]
    # the column of a passage is that of its first entry
    column = np.maximum.accumulate(np.where(first, columns, 0), axis=1)
    scores, start = {}, 0
    for name, hits in rankings.items():
        own = present & (order >= start) & (order < start + hits.positions.shape[1])
        scores[name] = np.full(listed.shape, np.nan)
        scores[name][rows[own], column[own]] = hits.scores[rows[own], order[own] - start]
        start += hits.positions.shape[1]
    return Aligned(np.where(first, listed, NO_PASSAGE), scores)


def list_minimum(hits: Hits) -> Float64[np.ndarray, "questions 1"]:
    """Return the lowest score of each list; 0 for an empty list."""
    present = np.where(hits.positions == NO_PASSAGE, np.float32(np.inf), hits.scores)
    lowest = present.min(axis=1, initial=np.inf, keepdims=True).astype(np.float64)
    return np.where(np.isinf(lowest), 0.0, lowest)


def rank_aligned(
    positions: Int64[np.ndarray, "questions union"],
    scores: Float64[np.ndarray, "questions union"],
    shares: Mapping[str, Float64[np.ndarray, "questions union"]],
    depth: int,
) -> Fused:
    """Keep the best ``depth`` columns of each row: score descending, position ascending."""
    columns = np.broadcast_to(np.arange(positions.shape[1], dtype=np.int64), positions.shape)
    # columns ascend with positions, so they break ties in the same order, and they index the shares
    columns = np.where(positions == NO_PASSAGE, NO_PASSAGE, columns)
    ranked = unpack(pack(scores.astype(np.float32), columns), depth)
    absent = ranked.positions == NO_PASSAGE
    if positions.shape[1] == 0:
        return Fused(ranked, {name: np.zeros(absent.shape, dtype=np.float32) for name in shares})
    kept = np.where(absent, 0, ranked.positions)
    found = np.where(absent, NO_PASSAGE, np.take_along_axis(positions, kept, axis=1))
    kept_shares = {
        name: np.where(absent, 0.0, np.take_along_axis(share, kept, axis=1)).astype(np.float32)
        for name, share in shares.items()
    }
    return Fused(Hits(found, ranked.scores), kept_shares)


def split_shares(
    parts: Mapping[str, Float64[np.ndarray, "questions union"]],
) -> dict[str, Float64[np.ndarray, "questions union"]]:
    """Divide non-negative contributions by their sum; equal shares where all are zero."""
    total = sum(parts.values(), start=np.float64(0.0))
    divisor = np.where(total > 0, total, 1.0)
    return {
        name: np.where(total > 0, part / divisor, 1 / len(parts)) for name, part in parts.items()
    }
