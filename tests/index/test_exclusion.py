"""Dropping passages from lists that were fetched deeper."""

import numpy as np

from index.exclusion import drop_excluded, most_excluded
from spider.ranking import Hits, pad_hits


def to_hits(rows: list[list[int]], depth: int) -> Hits:
    return pad_hits(
        [(np.array(r, dtype=np.int64), -np.arange(len(r), dtype=np.float32)) for r in rows], depth
    )


def test_by_hand() -> None:
    hits = to_hits([[5, 3, 8, 1], [2, 7], [4, 5, 6, 7]], 4)
    excluded = [[3, 9], [], [5, 4]]
    assert most_excluded(excluded) == 2
    left = drop_excluded(hits, excluded, 2)
    assert left.positions.tolist() == [[5, 8], [2, 7], [6, 7]]
    assert left.scores.tolist() == [[0, -2], [0, -1], [-2, -3]]


def test_what_is_dropped_leaves_padding_at_the_end() -> None:
    left = drop_excluded(to_hits([[5, 3]], 4), [[5]], 3)
    assert left.positions.tolist() == [[3, -1, -1]]
    assert left.scores.tolist() == [[-1, -np.inf, -np.inf]]


def test_nothing_to_drop_only_cuts() -> None:
    assert drop_excluded(to_hits([[5, 3, 2]], 3), [[]], 2).positions.tolist() == [[5, 3]]
    assert most_excluded([]) == 0
