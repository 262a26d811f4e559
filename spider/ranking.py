"""Hits and ranked passages: what a retriever returns, and how hits are stored on disk."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from spider.artifacts.array_stream import open_array
from spider.artifacts.atomic_files import save_array
from spider.corpus.document import Passage
from spider.errors import ArtifactError

NO_PASSAGE = -1


class Hits(NamedTuple):
    """Ranked passages of a batch of questions.

    Rows are padded at the end with position -1 and score -inf where fewer passages were found.
    Within a row scores descend, and equal scores are in ascending position.
    """

    positions: Int64[np.ndarray, "questions depth"]
    scores: Float32[np.ndarray, "questions depth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPassage:
    """One passage in a question's ranking.

    Attributes:
        rank: from 1.
        position: number of the passage in the corpus.
        passage: the passage itself.
        score: the score that the searched system gave.
        shares: each retriever's part of the score by its name, adding up to 1.
    """

    rank: int
    position: int
    passage: Passage
    score: float
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The passage's id, unique in the corpus."""
        return self.passage.id

    @property
    def title(self) -> str:
        """The document's title; may be empty."""
        return self.passage.title

    @property
    def text(self) -> str:
        """The passage's text."""
        return self.passage.text

    @property
    def source(self) -> str:
        """The id of the document that holds the passage (a relative path, say)."""
        return self.passage.document_id


def pad_hits(rows: Sequence[tuple[np.ndarray, np.ndarray]], depth: int) -> Hits:
    """Stack rows of (positions, scores) of different lengths into Hits of the given depth."""
    positions = np.full((len(rows), depth), NO_PASSAGE, dtype=np.int64)
    scores = np.full((len(rows), depth), -np.inf, dtype=np.float32)
    for row, (row_positions, row_scores) in enumerate(rows):
        kept = min(depth, len(row_positions))
        positions[row, :kept] = row_positions[:kept]
        scores[row, :kept] = row_scores[:kept]
    return Hits(positions, scores)


def sort_hits(hits: Hits) -> Hits:
    """Order each row by score descending, then position ascending; padding stays last."""
    absent = hits.positions == NO_PASSAGE
    scores = np.where(absent, -np.inf, hits.scores).astype(np.float32)
    order = np.lexsort((hits.positions, -scores, absent), axis=1)
    return Hits(
        np.take_along_axis(hits.positions, order, axis=1),
        np.take_along_axis(scores, order, axis=1),
    )


def drop_excluded(hits: Hits, excluded: Sequence[Collection[int]], depth: int) -> Hits:
    """Remove passages from lists, and cut the remaining lists at ``depth``.

    The order of the other passages is unchanged. If a list is longer by the number of excluded
    passages, the result equals a search in a corpus without them.

    Args:
        hits: the lists.
        excluded: positions to drop, for each question.
        depth: ranks kept.
    """
    if not any(excluded):
        return Hits(hits.positions[:, :depth], hits.scores[:, :depth])
    dropped = np.zeros(hits.positions.shape, dtype=np.bool_)
    for row, positions in enumerate(excluded):
        if positions:
            dropped[row] = np.isin(hits.positions[row], list(positions))
    kept_positions = np.where(dropped, NO_PASSAGE, hits.positions)
    kept_scores = np.where(dropped, np.float32(-np.inf), hits.scores)
    order = np.argsort(dropped, axis=1, kind="stable")[:, :depth]
    return Hits(
        np.take_along_axis(kept_positions, order, axis=1),
        np.take_along_axis(kept_scores, order, axis=1),
    )


def concatenate_hits(parts: Sequence[Hits], depth: int) -> Hits:
    """Stack blocks of questions, all of the same depth; without a block there is no row."""
    empty = Hits(np.empty((0, depth), np.int64), np.empty((0, depth), np.float32))
    return Hits(
        np.concatenate([empty.positions, *(part.positions for part in parts)]),
        np.concatenate([empty.scores, *(part.scores for part in parts)]),
    )


def save_hits(folder: Path, hits: Hits) -> None:
    """Write ``positions.npy`` and ``scores.npy`` into an existing folder."""
    save_array(folder / "positions.npy", hits.positions)
    save_array(folder / "scores.npy", hits.scores)


def load_hits(folder: Path) -> Hits:
    """Read what :func:`save_hits` wrote.

    Raises:
        ArtifactError: a file is missing or damaged, or the two differ in shape.
    """
    positions = open_array(folder / "positions.npy", np.int64)
    scores = open_array(folder / "scores.npy", np.float32)
    if positions.ndim != 2 or positions.shape != scores.shape:
        raise ArtifactError(
            f"{folder}: positions {positions.shape} and scores {scores.shape} differ in shape"
        )
    return Hits(np.array(positions), np.array(scores))
