"""The measures of a report: names in order, and a system's values by hand."""

from typing import Any

import numpy as np
import pytest

from eval.matching.first_hits import HitFinder
from eval.metrics.measures import (
    check_top_k,
    measure_label,
    measure_names,
    score_system,
    select_measures,
)
from spider.errors import ConfigError
from spider.question import Question, QuestionSet
from spider.ranking import pad_hits


def test_names_in_the_order_of_a_report() -> None:
    assert measure_names([1, 20], graded_by_passage=False) == ["top_1", "top_20", "mrr"]
    assert measure_names([1, 20], graded_by_passage=True) == [
        *("top_1", "top_20", "mrr", "recall_1", "recall_20", "ndcg_1", "ndcg_20")
    ]
    assert [m.k for m in select_measures([1, 20], graded_by_passage=True)] == [
        1,
        20,
        20,
        1,
        20,
        1,
        20,
    ]


def test_labels() -> None:
    names = ("top_5", "mrr", "recall_100", "ndcg_10", "unheard_of_3")
    assert [measure_label(name) for name in names] == [
        *("top-5", "MRR", "recall@100", "nDCG@10", "unheard_of_3")
    ]


def test_cut_offs_are_sorted_and_checked() -> None:
    assert check_top_k([20, 1, 20]) == (1, 20)
    for wrong in ([], [0, 5]):
        with pytest.raises(ConfigError, match="top_k"):
            check_top_k(wrong)


def test_a_system_by_hand(make_corpus: Any) -> None:
    corpus = make_corpus([("t", ["a", "b", "c", "d"])])
    questions = (
        Question(id="1", text="?", relevant=("d0#1", "d0#3"), excluded=("d0#0",)),
        Question(id="2", text="?", relevant=("d0#2",)),
    )
    finder = HitFinder(QuestionSet(name="s", questions=questions, match="passage"), corpus)
    rows = [np.array([0, 2, 1, 3]), np.array([3])]
    hits = pad_hits([(row, -np.arange(len(row), dtype=np.float32)) for row in rows], 5)
    scored = score_system(hits, finder, (1, 2))
    # passage 0 is excluded: what is left of the first list is 2, 1, 3, cut at 2
    assert scored.ranked.positions.tolist() == [[2, 1], [3, -1]]
    assert scored.ranked.dropped == 1
    assert scored.judged.ranks.tolist() == [2, 0]
    assert (scored.run_depth, scored.mean_length) == (5, 2.5)
    ideal = 1 + 1 / np.log2(3)
    np.testing.assert_allclose(
        scored.values, [[0, 1, 0.5, 0, 0.5, 0, 1 / np.log2(3) / ideal], [0] * 7]
    )
