"""Keys: their order is the order of a ranking, whatever the scores are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.score_keys import PADDING, best, pack, unpack
from spider.ranking import NO_PASSAGE, Hits, sort_hits

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
rows = st.lists(st.tuples(finite, st.integers(0, 2**32 - 2)), max_size=20, unique_by=lambda r: r[1])


def test_the_order_of_scores_and_positions_by_hand() -> None:
    scores = np.array([[-2.5, -0.0, 0.0, 1e-30, 3.0, 3.0, -1e30]], dtype=np.float32)
    positions = np.array([[5, 8, 9, 0, 2, 1, NO_PASSAGE]], dtype=np.int64)
    hits = unpack(pack(scores, positions), 8)
    assert hits.positions.tolist() == [[1, 2, 0, 8, 9, 5, NO_PASSAGE, NO_PASSAGE]]
    assert hits.scores.tolist() == [
        [3.0, 3.0, float(np.float32(1e-30)), 0.0, 0.0, -2.5, -np.inf, -np.inf]
    ]
    assert best(pack(scores, positions), 3).shape == (1, 3)


@given(rows, st.integers(1, 25))
def test_unpacking_sorts_as_a_ranking_is_sorted(row: list[tuple[float, int]], depth: int) -> None:
    scores = np.array([[score for score, _ in row]], dtype=np.float32)
    positions = np.array([[position for _, position in row]], dtype=np.int64)
    got = unpack(pack(scores, positions), depth)
    expected = sort_hits(Hits(positions, scores + np.float32(0)))
    width = min(depth, len(row))
    assert got.positions.shape == (1, depth)
    assert got.positions[0, :width].tolist() == expected.positions[0, :width].tolist()
    assert got.scores[0, :width].tolist() == expected.scores[0, :width].tolist()
    assert (got.positions[0, width:] == NO_PASSAGE).all()


@given(rows, st.integers(1, 25))
def test_the_best_are_those_that_a_sort_puts_first(
    row: list[tuple[float, int]], depth: int
) -> None:
    scores = np.array([[score for score, _ in row]], dtype=np.float32)
    keys = pack(scores, np.array([[position for _, position in row]], dtype=np.int64))
    assert sorted(best(keys, depth)[0].tolist()) == sorted(keys[0].tolist())[-depth:]
    assert (keys > PADDING).all()
