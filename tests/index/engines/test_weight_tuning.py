"""Settling the weight: kept, the paper's, a cautious one, or chosen on held-out queries."""

from typing import Any

import pytest

from index.engines.tuning import Tuning
from index.engines.weight_tuning import CAUTIOUS_WEIGHT, PAPERS_WEIGHT, settle_weight
from index.fusion.reciprocal_rank import ReciprocalRank
from index.fusion.weighted_sum import WeightedSum
from spider.question import Question, QuestionSet
from spider.spans.span_store import SpanStore

DEPTHS = {"dense": 6, "bm25": 6}


class FakeSpans(SpanStore):
    """Two held-out queries; the dense vector of each points at its relevant passage."""

    def __init__(self, count: int = 2):
        self.count = count

    def heldout(self, part: str) -> QuestionSet:
        assert part == "validation"
        queries = [
            Question(id=f"q{n}", text=str(1 + 2 * (n % 2)), relevant=(f"d0#{1 + 2 * (n % 2)}",))
            for n in range(self.count)
        ]
        return QuestionSet(name="held-out", questions=tuple(queries), match="passage")


@pytest.fixture
def settle(make_corpus: Any, fake_dense: Any, fake_sparse: Any) -> Any:
    corpus = make_corpus([("t", [f"passage {number}" for number in range(6)])])
    sparse = fake_sparse()

    def run(fusion: Any, spans: Any = None, scale: str = "unit", **tuning: Any) -> dict[str, Any]:
        return settle_weight(
            fusion,
            tuning=Tuning(**tuning),
            corpus=corpus,
            spans=spans,
            score_scale=scale,
            open_rankers=lambda: {"bm25": sparse, "dense": fake_dense},
        )

    run.sparse = sparse  # type: ignore[attr-defined]
    return run


def test_a_fusion_without_a_free_weight_is_kept(settle: Any) -> None:
    given = WeightedSum(weights={"dense": 3.0, "bm25": 1.0}, depths=DEPTHS)
    for fusion in (given, ReciprocalRank(depths=DEPTHS)):
        assert settle(fusion, FakeSpans(), fewest=1) == {**fusion.settings(), "tuned_on": None}
    assert settle.sparse.depths == []


def test_raw_scores_take_the_papers_weight_and_few_queries_a_cautious_one(settle: Any) -> None:
    fusion = WeightedSum(depths=DEPTHS)
    raw = settle(fusion, FakeSpans(), scale="raw", fewest=1)
    assert (raw["weights"]["dense"], raw["tuned_on"]) == (PAPERS_WEIGHT, None)
    for spans in (None, FakeSpans()):
        few = settle(fusion, spans, fewest=3)
        assert (few["weights"]["dense"], few["tuned_on"]) == (CAUTIOUS_WEIGHT, None)


def test_the_weight_is_chosen_on_the_held_out_queries(settle: Any) -> None:
    found = settle(WeightedSum(depths=DEPTHS), FakeSpans(), fewest=2, seed=7)
    assert found["tuned_on"] == {"split": "validation", "queries": 2, "seed": 7}
    # BM25 gives passage 2 a 5, and the relevant ones, 1 and 3, its minimum 1; dense gives them 1.
    # At weight 4 both are level with 2, so 1 is before it and 3 behind it: more than 4 is needed
    curve = {float(weight): gain for weight, gain in found["curve"].items()}
    assert curve[0.0] < curve[4.0] < 1.0
    assert curve[8.0] == 1.0
    assert found["weights"]["dense"] == pytest.approx(4 * 2**0.5)
    assert settle.sparse.closed == 1


def test_no_more_queries_than_allowed_are_searched(settle: Any) -> None:
    found = settle(WeightedSum(depths=DEPTHS), FakeSpans(9), queries=4, fewest=1)
    assert found["tuned_on"]["queries"] == 4
