"""Alignment by hand and against dictionaries."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from index.fusion.alignment import align, list_minimum, rank_aligned, split_shares

scores_of_one = st.dictionaries(st.integers(0, 9), st.floats(-5, 5, width=32), max_size=6)
cases = st.lists(st.tuples(scores_of_one, scores_of_one, scores_of_one), min_size=1, max_size=3)


@given(cases)
@settings(max_examples=100)
def test_each_ranking_is_found_again_in_the_union(to_hits: Any, lists: Any) -> None:
    rankings = {name: to_hits([q[i] for q in lists], depth=7) for i, name in enumerate("abc")}
    union = align(rankings)
    for row, question in enumerate(lists):
        positions = union.positions[row]
        listed = positions[positions != -1]
        assert listed.tolist() == sorted({p for scores in question for p in scores})
        for name, scores in zip("abc", question, strict=True):
            own = union.scores[name][row]
            held = ~np.isnan(own)
            got = dict(zip(positions[held].tolist(), own[held].tolist(), strict=True))
            assert got == scores


def test_minima_by_hand(to_hits: Any) -> None:
    assert list_minimum(to_hits([{3: 2.0, 5: -1.5}, {}, {1: 4.0}])).tolist() == [[-1.5], [0], [4]]


def test_shares_by_hand() -> None:
    parts = {"a": np.array([[3.0, 0.0, 0.0]]), "b": np.array([[1.0, 2.0, 0.0]])}
    shares = split_shares(parts)
    assert shares["a"].tolist() == [[0.75, 0.0, 0.5]]
    assert shares["b"].tolist() == [[0.25, 1.0, 0.5]]


def test_ranking_columns_by_hand() -> None:
    positions = np.array([[2, -1, 5, 8]])
    scores = np.array([[1.0, 99.0, 3.0, 1.0]])
    share = np.array([[0.1, 0.2, 0.3, 0.4]])
    fused = rank_aligned(positions, scores, {"a": share}, depth=5)
    assert fused.hits.positions.tolist() == [[5, 2, 8, -1, -1]]
    assert fused.hits.scores.tolist() == [[3.0, 1.0, 1.0, -np.inf, -np.inf]]
    np.testing.assert_allclose(fused.shares["a"], [[0.3, 0.1, 0.4, 0, 0]], rtol=1e-6)
