"""The label-free weight: by hand, against a sort, and on cases made to have one answer."""

from typing import Any

import numpy as np
import pytest

from index.fusion.weight_choice import CANDIDATES, choose_weight, first_relevant_ranks, gain
from index.fusion.weighted_sum import weighted_sum
from spider.errors import ConfigError, DataError

UNTUNED = {"dense": None, "bm25": 1.0}


def test_the_rank_of_the_first_relevant_passage_by_hand() -> None:
    positions = np.array([2, 4, 6, 8])
    scores = np.array([[1.0, 3.0, 2.0, 3.0], [5.0, 0.0, 5.0, 5.0]])
    assert first_relevant_ranks(positions, scores, [6, 8]).tolist() == [2.0, 2.0]
    assert first_relevant_ranks(positions, scores, [2]).tolist() == [4.0, 1.0]
    assert first_relevant_ranks(positions, scores, [3]).tolist() == [np.inf, np.inf]


def test_gain_by_hand() -> None:
    np.testing.assert_allclose(gain(np.array([1.0, 21.0, np.inf])), [1.0, 0.5, 0.0])


def test_ranks_are_those_of_the_fusion(to_hits: Any) -> None:
    rng = np.random.default_rng(3)
    rows = [
        {int(p): float(rng.integers(0, 8)) / 4 for p in rng.choice(40, 15, replace=False)}
        for _ in range(12)
    ]
    rankings = {"dense": to_hits(rows[:6], 15), "bm25": to_hits(rows[6:], 15)}
    relevant = [[int(p) for p in rng.choice(40, 3, replace=False)] for _ in range(6)]
    choice = choose_weight(rankings, UNTUNED, relevant, candidates=(0.5, 2.0))
    for weight, mean in choice.curve:
        fused = weighted_sum(rankings, {"dense": weight, "bm25": 1.0}, depth=30).hits.positions
        gains = []
        for row, wanted in zip(fused.tolist(), relevant, strict=True):
            found = [rank for rank, position in enumerate(row, start=1) if position in wanted]
            gains.append(20 / (19 + found[0]) if found else 0.0)
        assert mean == pytest.approx(np.mean(gains), abs=1e-6)


def test_the_weight_that_lifts_both_kinds_of_questions_wins(to_hits: Any) -> None:
    # in the first question dense must outweigh a BM25 lead of 8 with 0.5; in the second BM25 must
    # outweigh a dense lead of 0.1 with 8: the weight lies between 16 and 80
    dense = to_hits([{5: 0.75, 2: 0.25}, {5: 0.25, 2: 0.15}])
    sparse = to_hits([{5: 2.0, 2: 10.0}, {5: 2.0, 2: 10.0}])
    choice = choose_weight({"dense": dense, "bm25": sparse}, UNTUNED, [[5], [2]])
    assert 16 < choice.weight < 80
    # several do equally well: the smallest is taken
    assert choice.weight == pytest.approx(16 * 2**0.5)
    assert dict(choice.curve)[choice.weight] == 1.0


def test_a_useless_dense_list_gets_no_weight(to_hits: Any) -> None:
    dense, sparse = to_hits([{9: 0.9, 1: 0.1}]), to_hits([{1: 3.0, 9: 2.0}])
    assert choose_weight({"dense": dense, "bm25": sparse}, UNTUNED, [[1]]).weight == 0.0
    assert CANDIDATES[0] == 0.0


def test_any_ranking_can_be_the_one_that_is_weighed(to_hits: Any) -> None:
    dense, bm25 = to_hits([{9: 0.9, 1: 0.1}]), to_hits([{1: 3.0, 9: 2.0}])
    titles = to_hits([{9: 4.0, 1: 2.0}])
    rankings = {"dense": dense, "bm25": bm25, "titles": titles}
    # 9 leads by 0.8 and 2, 1 by 1: a weight w of BM25 puts 1 first above 2.8
    choice = choose_weight(rankings, {"dense": 1.0, "bm25": None, "titles": 1.0}, [[1]])
    assert choice.weight == pytest.approx(2**1.5)


def test_no_queries_and_no_free_weight_are_errors(to_hits: Any) -> None:
    rankings = {"dense": to_hits([{1: 0.5}]), "bm25": to_hits([{1: 0.5}])}
    with pytest.raises(DataError, match="no held-out query"):
        choose_weight(rankings, UNTUNED, [])
    with pytest.raises(ConfigError, match="expected one null"):
        choose_weight(rankings, {"dense": 1.0, "bm25": 1.0}, [[1]])
