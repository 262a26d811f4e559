"""What every metric promises, for every module of the folder that has a ``METRIC``."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.matching.first_hits import Graded, first_hit_ranks
from eval.metrics import measures
from eval.metrics.contract import CUTOFF, Judged, Metric
from eval.metrics.measures import measure_label, measure_names, metrics

METRICS = pytest.mark.parametrize("metric", metrics(), ids=lambda metric: metric.name)
QUESTIONS, DEPTH = 6, 9
random_lists = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, DEPTH + 3))


def judge(relevance: np.ndarray, more: int = 0) -> Judged:
    """Judge lists; each question has ``more`` relevant passages that its list lacks."""
    return judge_cut(relevance, relevance.sum(axis=1) + more)


def judge_cut(relevance: np.ndarray, counts: np.ndarray) -> Judged:
    """Judge lists; ``counts`` are the relevant passages of each question, all of grade 1."""
    ideal = (np.arange(DEPTH + 4) < counts[:, None]).astype(np.float64)
    graded = Graded(counts, relevance, relevance.astype(np.float64), ideal)
    return Judged(relevance, first_hit_ranks(relevance), graded)


def lists_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((QUESTIONS, DEPTH)) < 0.3


@METRICS
@given(case=random_lists)
def test_one_value_a_question_from_zero_to_one(metric: Metric, case: tuple[int, int]) -> None:
    seed, k = case
    relevance = lists_of(seed)
    given_lists = relevance.copy()
    values = metric.values(judge(relevance, more=2), k)
    assert values.shape == (QUESTIONS,)
    assert values.dtype == np.float64
    assert ((values >= 0) & (values <= 1)).all()
    assert (relevance == given_lists).all()


@METRICS
def test_nothing_found_is_zero_and_everything_first_is_one(metric: Metric) -> None:
    nothing = np.zeros((2, DEPTH), dtype=bool)
    assert metric.values(judge(nothing, more=3), 5).tolist() == [0, 0]
    assert metric.values(judge(nothing), 5).tolist() == [0, 0]
    first = np.array([[True] + [False] * 8, [True, True] + [False] * 7])
    np.testing.assert_allclose(metric.values(judge(first), 5), [1, 1], rtol=1e-12)


@METRICS
@given(case=random_lists)
def test_a_hit_that_moves_up_never_costs(metric: Metric, case: tuple[int, int]) -> None:
    seed, k = case
    relevance = lists_of(seed)
    rank = seed % (DEPTH - 1)
    better = relevance.copy()
    better[:, [rank, rank + 1]] = np.sort(relevance[:, [rank, rank + 1]], axis=1)[:, ::-1]
    worse_values, better_values = (metric.values(judge(lists), k) for lists in (relevance, better))
    assert (better_values >= worse_values - 1e-12).all()


@METRICS
@given(case=random_lists)
def test_ranks_beyond_k_and_other_questions_do_not_count(
    metric: Metric, case: tuple[int, int]
) -> None:
    seed, k = case
    relevance = lists_of(seed)
    whole = metric.values(judge(relevance), k)
    cut = relevance.copy()
    cut[:, k:] = False
    counts = relevance.sum(axis=1)
    alone = metric.values(judge_cut(cut, counts), k)
    np.testing.assert_allclose(whole, alone, rtol=1e-12)
    order = np.random.default_rng(seed).permutation(QUESTIONS)
    moved = metric.values(judge(relevance[order]), k)
    np.testing.assert_allclose(moved, whole[order], rtol=1e-12)


@METRICS
def test_the_number_of_relevant_passages_is_asked_for_or_ignored(metric: Metric) -> None:
    relevance = lists_of(0)
    unknown = Judged(relevance, first_hit_ranks(relevance), None)
    if metric.needs_relevant:
        with pytest.raises(ValueError, match="needs the number of relevant passages"):
            metric.values(unknown, 5)
    else:
        np.testing.assert_array_equal(
            metric.values(unknown, 5), metric.values(judge(relevance, more=4), 5)
        )


@METRICS
def test_names_and_labels_lead_back_to_the_metric(metric: Metric) -> None:
    measure = metric.name_at(17)
    assert CUTOFF not in measure
    assert measure_label(measure) == metric.label.replace(CUTOFF, "17")
    claimed = [other.name for other in metrics() if other.label_of(measure) is not None]
    assert claimed == [metric.name]
    # at every cut-off, a name without k would occur several times in a report
    assert metric.cutoffs == "largest" or CUTOFF in metric.name


def test_places_are_distinct() -> None:
    places = [metric.place for metric in metrics()]
    assert places == sorted(set(places))


NEW_METRIC = """
from eval.metrics.contract import Metric

METRIC = Metric(
    name="hits_{k}", label="hits in {k}", cutoffs="every", needs_relevant=False, place=15,
    values=lambda judged, k: judged.relevance[:, :k].mean(axis=1),
)
"""


@pytest.fixture
def new_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "hits_share.py").write_text(NEW_METRIC)
    package = sys.modules[measures.FAMILY]
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    metrics.cache_clear()
    yield
    metrics.cache_clear()
    del sys.modules[f"{measures.FAMILY}.hits_share"]


@pytest.mark.usefixtures("new_metric")
def test_a_new_file_is_a_new_metric() -> None:
    names = measure_names([1, 5], graded_by_passage=True)
    assert names == [
        *("top_1", "top_5", "hits_1", "hits_5", "mrr"),
        *("recall_1", "recall_5", "ndcg_1", "ndcg_5"),
    ]
    assert measure_label("hits_5") == "hits in 5"
