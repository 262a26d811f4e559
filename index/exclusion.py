"""Passages that a question's list must not hold, such as a held-out query's own."""

from collections.abc import Sequence

import numpy as np

from spider.corpus import Corpus
from spider.question import Question
from spider.ranking import NO_PASSAGE, Hits

Excluded = Sequence[Sequence[int]]


def excluded_positions(questions: Sequence[Question], corpus: Corpus) -> list[list[int]]:
    """Return the positions of each question's excluded passages.

    Raises:
        DataError: an id is not in the corpus.
    """
    return [[corpus.position(name) for name in question.excluded] for question in questions]


def most_excluded(excluded: Excluded) -> int:
    """Return how many more passages to fetch so that enough are left after dropping."""
    return max((len(row) for row in excluded), default=0)


def drop_excluded(hits: Hits, excluded: Excluded, depth: int) -> Hits:
    """Remove excluded passages from lists fetched ``most_excluded`` deeper, and cut at ``depth``.

    The order of what stays is unchanged, so the lists are as if the corpus lacked those passages.
    """
    width = most_excluded(excluded)
    if width == 0:
        return Hits(hits.positions[:, :depth], hits.scores[:, :depth])
    # an unused place holds a position that no passage has
    unwanted = np.full((len(excluded), width), NO_PASSAGE - 1, dtype=np.int64)
    for row, positions in enumerate(excluded):
        unwanted[row, : len(positions)] = positions
    dropped = (hits.positions[:, :, None] == unwanted[:, None, :]).any(axis=2)
    kept_positions = np.where(dropped, NO_PASSAGE, hits.positions)
    kept_scores = np.where(dropped, np.float32(-np.inf), hits.scores)
    order = np.argsort(dropped, axis=1, kind="stable")[:, :depth]
    return Hits(
        np.take_along_axis(kept_positions, order, axis=1),
        np.take_along_axis(kept_scores, order, axis=1),
    )
