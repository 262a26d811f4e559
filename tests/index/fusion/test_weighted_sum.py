"""The weighted sum by hand, against its reference, and what it refuses."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.fusion.contract import WeightedFusion
from index.fusion.reference import weighted_sum_reference
from index.fusion.weighted_sum import WeightedSum, load, weighted_sum
from spider.errors import ConfigError

Scores = dict[int, float]
scores_of_one = st.dictionaries(
    st.integers(0, 30), st.integers(-40, 40).map(lambda value: value / 4), max_size=12
)
pairs = st.lists(st.tuples(scores_of_one, scores_of_one), min_size=1, max_size=4)


def test_by_hand(to_hits: Any, rows_of: Any) -> None:
    rankings = {
        "dense": to_hits([{7: 0.75, 3: 0.5, 9: 0.25}]),
        "bm25": to_hits([{3: 10.0, 4: 8.0}]),
    }
    fused = weighted_sum(rankings, {"dense": 8.0, "bm25": 1.0}, depth=5)
    # 7: 8·0.75 + 8 (not in BM25) = 14; 3: 4 + 10 = 14; 4: 8·0.25 (not in dense) + 8; 9: 2 + 8
    assert rows_of(fused) == [[(3, 14.0), (7, 14.0), (4, 10.0), (9, 10.0)]]
    # above the minima 2 and 8: 3 has 2 and 2, 7 has 4 and 0; 4 and 9 have 0 and 0
    assert fused.shares["dense"].tolist() == [[0.5, 1.0, 0.5, 0.5, 0.0]]
    assert fused.shares["bm25"].tolist() == [[0.5, 0.0, 0.5, 0.5, 0.0]]


def test_three_rankings_by_hand(to_hits: Any, rows_of: Any) -> None:
    rankings = {
        "dense": to_hits([{1: 3.0, 2: 1.0}]),
        "bm25": to_hits([{2: 4.0, 3: 2.0}]),
        "titles": to_hits([{3: 6.0}]),
    }
    fused = weighted_sum(rankings, {"dense": 2.0, "bm25": 1.0, "titles": 0.5}, depth=4)
    # 1: 6 + 2 + 3; 2: 2 + 4 + 3; 3: 2 + 2 + 3
    assert rows_of(fused) == [[(1, 11.0), (2, 9.0), (3, 7.0)]]
    assert fused.shares["dense"][0].tolist() == pytest.approx([1.0, 0.0, 1 / 3, 0.0])
    assert fused.shares["titles"][0].tolist() == pytest.approx([0.0, 0.0, 1 / 3, 0.0])


def test_an_empty_list_adds_nothing(to_hits: Any, rows_of: Any) -> None:
    some, nothing = to_hits([{7: -0.75, 3: -0.5}]), to_hits([{}])
    weights = {"dense": 2.0, "bm25": 1.0}
    fused = weighted_sum({"dense": some, "bm25": nothing}, weights, depth=3)
    assert rows_of(fused) == [[(3, -1.0), (7, -1.5)]]
    fused = weighted_sum({"dense": nothing, "bm25": some}, weights, depth=3)
    assert rows_of(fused) == [[(3, -0.5), (7, -0.75)]]


@given(pairs, st.sampled_from([0.0, 0.5, 1.0, 4.0]), st.integers(1, 30))
@settings(max_examples=150)
def test_it_equals_its_reference(
    to_hits: Any, rows_of: Any, lists: list[tuple[Scores, Scores]], weight: float, depth: int
) -> None:
    weights = {"dense": weight, "bm25": 1.0}
    rankings = {name: to_hits([q[i] for q in lists]) for i, name in enumerate(weights)}
    got = rows_of(weighted_sum(rankings, weights, depth=depth))
    by_name = [dict(zip(weights, question, strict=True)) for question in lists]
    assert got == [weighted_sum_reference(question, weights)[:depth] for question in by_name]


@given(scores_of_one, scores_of_one)
@settings(max_examples=60)
def test_weight_zero_keeps_the_order_of_the_other(
    to_hits: Any, rows_of: Any, dense: Scores, bm25: Scores
) -> None:
    rankings = {"dense": to_hits([dense]), "bm25": to_hits([bm25])}
    fused = rows_of(weighted_sum(rankings, {"dense": 0.0, "bm25": 1.0}, depth=24))[0]
    ranking = [p for p, _ in fused if p in bm25]
    assert ranking == sorted(bm25, key=lambda p: (-bm25[p], p))
    above = [p for p in ranking if bm25[p] > min(bm25.values())]
    assert [p for p, _ in fused][: len(above)] == above


@given(pairs)
@settings(max_examples=60)
def test_a_ranking_that_lacks_the_passage_has_at_most_half_of_it(
    to_hits: Any, lists: list[tuple[Scores, Scores]]
) -> None:
    rankings = {name: to_hits([q[i] for q in lists]) for i, name in enumerate(("dense", "bm25"))}
    fused = weighted_sum(rankings, {"dense": 3.0, "bm25": 1.0}, depth=24)
    for row, (dense, bm25) in enumerate(lists):
        shares = zip(fused.hits.positions[row], fused.shares["dense"][row], strict=True)
        for position, share in shares:
            if position in dense and position not in bm25:
                assert share >= 0.5
            if position in bm25 and position not in dense:
                assert share <= 0.5


def test_the_weight_that_is_chosen(to_hits: Any) -> None:
    fusion = WeightedSum()
    assert isinstance(fusion, WeightedFusion)
    assert fusion.untuned == "dense"
    rankings = {"dense": to_hits([{1: 0.5}]), "bm25": to_hits([{1: 2.0}])}
    with pytest.raises(ConfigError, match=r"no weight for 'dense' yet; fix: fusion\.weights"):
        fusion.fuse(rankings, 3)
    tuned = fusion.with_weight(2.0)
    assert tuned.untuned is None
    assert tuned.fuse(rankings, 1).hits.scores.tolist() == [[3.0]]
    assert fusion.weights == {"dense": None, "bm25": 1.0}
    assert load(tuned.settings()).weights == {"dense": 2.0, "bm25": 1.0}
    # every weight does equally well, and the smallest is taken
    assert fusion.choose_weight(rankings, [[1]]).weight == 0.0


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"dense": -1.0, "bm25": 1.0}, r"weights\.dense: got -1"),
        ({"dense": float("nan"), "bm25": 1.0}, r"weights\.dense: got nan"),
        ({"dense": None, "bm25": None}, "at most one null"),
        ({"dense": 1.0}, "expected a weight for each"),
    ],
)
def test_refusals(weights: dict[str, float | None], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        WeightedSum(weights=weights)
