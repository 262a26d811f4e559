"""Reciprocal rank fusion by hand and against its reference."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.fusion.contract import WeightedFusion
from index.fusion.reciprocal_rank import ReciprocalRank, reciprocal_rank
from index.fusion.reference import reciprocal_rank_reference
from spider.errors import ConfigError

Scores = dict[int, float]
scores_of_one = st.dictionaries(
    st.integers(0, 30), st.integers(-40, 40).map(lambda value: value / 4), max_size=12
)
triples = st.lists(st.tuples(scores_of_one, scores_of_one, scores_of_one), min_size=1, max_size=4)


def test_by_hand(to_hits: Any, rows_of: Any) -> None:
    rankings = {
        "dense": to_hits([{1: 0.5, 2: 0.25}]),
        "bm25": to_hits([{2: 9.0, 5: 8.0, 6: 1.0}]),
    }
    fused = reciprocal_rank(rankings, constant=60.0, depth=9)
    assert [position for position, _ in rows_of(fused)[0]] == [2, 1, 5, 6]
    np.testing.assert_allclose(
        fused.hits.scores[0, :4], [1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63], rtol=1e-6
    )
    np.testing.assert_allclose(
        fused.shares["dense"][0, :4], [(1 / 62) / (1 / 62 + 1 / 61), 1, 0, 0], rtol=1e-6
    )


@given(triples)
@settings(max_examples=100)
def test_it_equals_its_reference(
    to_hits: Any, rows_of: Any, lists: list[tuple[Scores, ...]]
) -> None:
    names = ("dense", "bm25", "titles")
    rankings = {name: to_hits([q[i] for q in lists]) for i, name in enumerate(names)}
    fused = rows_of(reciprocal_rank(rankings, constant=60.0, depth=36))
    for got, question in zip(fused, lists, strict=True):
        by_name = dict(zip(names, question, strict=True))
        expected = reciprocal_rank_reference(by_name, constant=60.0)
        assert {p for p, _ in got} == {p for p, _ in expected}
        np.testing.assert_allclose([s for _, s in got], [s for _, s in expected], rtol=1e-6)


def test_scores_do_not_count(to_hits: Any) -> None:
    fusion = ReciprocalRank()
    one = fusion.fuse({"dense": to_hits([{4: 9.0, 2: 1.0}]), "bm25": to_hits([{2: 5.0}])}, 3)
    two = fusion.fuse({"dense": to_hits([{4: 0.3, 2: 0.2}]), "bm25": to_hits([{2: 0.1}])}, 3)
    assert one.hits.scores.tolist() == two.hits.scores.tolist()


def test_it_has_no_weight_and_checks_its_constant() -> None:
    assert not isinstance(ReciprocalRank(), WeightedFusion)
    with pytest.raises(ConfigError, match="setting constant: got -1"):
        ReciprocalRank(constant=-1.0)
