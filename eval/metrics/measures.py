"""The measures of a retrieval report: every metric of this folder, at its cut-offs."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from eval.matching.first_hits import HitFinder, Ranked, first_hit_ranks
from eval.metrics.contract import Judged, Metric
from spider.errors import SettingError
from spider.ranking import NO_PASSAGE, Hits, drop_excluded

FAMILY = "eval.metrics"


class ScoredSystem(NamedTuple):
    """The lists of one system, with the values of every question.

    Attributes:
        ranked: the lists without excluded passages, cut at the largest k.
        judged: the relevance of their passages.
        values: one column for each measure.
        run_depth: the most ranks that the run can hold.
        mean_length: mean number of passages listed for a question, before the cut.
    """

    ranked: Ranked
    judged: Judged
    values: Float64[np.ndarray, "questions measures"]
    run_depth: int
    mean_length: float


class Measure(NamedTuple):
    """A metric at one cut-off."""

    metric: Metric
    k: int

    @property
    def name(self) -> str:
        """The name in files and settings, such as ``top_20``."""
        return self.metric.name_at(self.k)


@cache
def metrics() -> tuple[Metric, ...]:
    """Return the ``METRIC`` of every module of this folder, in the order of a report."""
    folder = import_module(FAMILY).__path__
    modules = [import_module(f"{FAMILY}.{module.name}") for module in iter_modules(folder)]
    found = [module.METRIC for module in modules if hasattr(module, "METRIC")]
    return tuple(sorted(found, key=lambda metric: metric.place))


def measure_label(name: str) -> str:
    """Return the name of a measure in tables; an unknown name is returned unchanged."""
    labels = [metric.label_of(name) for metric in metrics()]
    return next((label for label in labels if label is not None), name)


def check_top_k(top_k: Sequence[int]) -> tuple[int, ...]:
    """Return the distinct values of k in ascending order.

    Raises:
        ConfigError: there is none, or one is below 1.
    """
    if not top_k or min(top_k) < 1:
        raise SettingError("top_k", list(top_k), "whole numbers from 1")
    return tuple(sorted(set(top_k)))


def select_measures(top_k: Sequence[int], *, graded_by_passage: bool) -> list[Measure]:
    """Return the measures of a report, in its order.

    Args:
        top_k: cut-offs, ascending.
        graded_by_passage: whether the relevant passages of each question are known; if not,
            metrics that need their number are left out.
    """
    return [
        Measure(metric, k)
        for metric in metrics()
        if graded_by_passage or not metric.needs_relevant
        for k in (top_k if metric.cutoffs == "every" else top_k[-1:])
    ]


def measure_names(top_k: Sequence[int], *, graded_by_passage: bool) -> list[str]:
    """Return the names of :func:`select_measures`, such as ``top_20``, ``mrr``, ``ndcg_100``."""
    return [m.name for m in select_measures(top_k, graded_by_passage=graded_by_passage)]


def score_system(hits: Hits, finder: HitFinder, top_k: Sequence[int]) -> ScoredSystem:
    """Match the lists of a system and compute every measure of every question.

    Args:
        hits: the run.
        finder: applies the matching rule of the question set.
        top_k: cut-offs, ascending.
    """
    depth = top_k[-1]
    left = drop_excluded(hits, finder.excluded(), hits.positions.shape[1])
    dropped = np.sum(hits.positions != NO_PASSAGE) - np.sum(left.positions != NO_PASSAGE)
    ranked = Ranked(left.positions[:, :depth], left.scores[:, :depth], int(dropped))
    relevance = finder.relevance(ranked.positions)
    judged = Judged(relevance, first_hit_ranks(relevance), finder.graded(ranked.positions, depth))
    measures = select_measures(top_k, graded_by_passage=judged.graded is not None)
    lengths = (hits.positions != NO_PASSAGE).sum(axis=1)
    return ScoredSystem(
        ranked=ranked,
        judged=judged,
        values=np.stack([m.metric.values(judged, m.k) for m in measures], axis=1),
        run_depth=hits.positions.shape[1],
        mean_length=float(lengths.mean()) if len(lengths) else 0.0,
    )
