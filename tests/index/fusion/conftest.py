"""Rankings for the tests of fusion: from dictionaries to hits and back."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from index.fusion.contract import Fused
from spider.ranking import NO_PASSAGE, Hits, pad_hits, sort_hits

Scores = Mapping[int, float]


def to_hits(lists: Sequence[Scores], depth: int = 12) -> Hits:
    """Turn the scores by position of each question into hits."""
    rows = [
        (np.array(list(scores), dtype=np.int64), np.array(list(scores.values()), dtype=np.float32))
        for scores in lists
    ]
    return sort_hits(pad_hits(rows, depth))


def rows_of(fused: Fused) -> list[list[tuple[int, float]]]:
    """Return the (position, score) pairs of each question, without padding."""
    pairs = zip(fused.hits.positions.tolist(), fused.hits.scores.tolist(), strict=True)
    return [
        [(p, s) for p, s in zip(positions, scores, strict=True) if p != NO_PASSAGE]
        for positions, scores in pairs
    ]


@pytest.fixture(name="to_hits", scope="session")
def to_hits_fixture() -> Callable[..., Hits]:
    """Return ``to_hits(lists, depth=12)``."""
    return to_hits


@pytest.fixture(name="rows_of", scope="session")
def rows_of_fixture() -> Callable[[Fused], list[list[tuple[int, float]]]]:
    """Return ``rows_of(fused)``."""
    return rows_of
