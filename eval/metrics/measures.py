"""The measures of a retrieval report, by name: one value for each question."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from eval.matching.first_hits import HitFinder, Ranked, first_hit_ranks
from eval.metrics.mean_reciprocal_rank import reciprocal_rank
from eval.metrics.ndcg import ndcg
from eval.metrics.recall import recall
from eval.metrics.top_k_accuracy import top_k_accuracy
from spider.errors import ConfigError
from spider.ranking import NO_PASSAGE, Hits, drop_excluded


class ScoredSystem(NamedTuple):
    """One system's lists with every question's values.

    Attributes:
        ranked: the lists, without excluded passages, cut at the largest k.
        relevance: whether the passage at each rank is a hit.
        ranks: of each question's first hit, 0 where there is none.
        values: one column for each measure.
        run_depth: ranks that the run holds at most.
        mean_length: passages listed for a question on average, before the cut.
    """

    ranked: Ranked
    relevance: Bool[np.ndarray, "questions depth"]
    ranks: Int32[np.ndarray, " questions"]
    values: Float64[np.ndarray, "questions measures"]
    run_depth: int
    mean_length: float


def check_top_k(top_k: Sequence[int]) -> tuple[int, ...]:
    """Return the distinct values of k in ascending order.

    Raises:
        ConfigError: there is none, or one is below 1.
    """
    if not top_k or min(top_k) < 1:
        raise ConfigError(f"top_k: got {list(top_k)}, expected whole numbers from 1")
    return tuple(sorted(set(top_k)))


def measure_names(top_k: Sequence[int], *, graded_by_passage: bool) -> list[str]:
    """Return the measures' names in the order of :func:`score_system`'s columns.

    ``top_5`` …, ``mrr``, and, where the relevant passages are known, ``recall_N`` and ``ndcg_N``
    with N the largest k.
    """
    names = [f"top_{k}" for k in top_k] + ["mrr"]
    if graded_by_passage:
        names += [f"recall_{top_k[-1]}", f"ndcg_{top_k[-1]}"]
    return names


def score_system(hits: Hits, finder: HitFinder, top_k: Sequence[int]) -> ScoredSystem:
    """Match a system's lists and compute every measure for every question.

    Args:
        hits: the run.
        finder: the question set's matching rule.
        top_k: ascending.
    """
    depth = top_k[-1]
    left = drop_excluded(hits, finder.excluded(), hits.positions.shape[1])
    dropped = np.sum(hits.positions != NO_PASSAGE) - np.sum(left.positions != NO_PASSAGE)
    ranked = Ranked(left.positions[:, :depth], left.scores[:, :depth], int(dropped))
    relevance = finder.relevance(ranked.positions)
    ranks = first_hit_ranks(relevance)
    columns = [top_k_accuracy(ranks, k) for k in top_k] + [reciprocal_rank(ranks, depth)]
    relevant: Int64[np.ndarray, " questions"] | None = finder.relevant_counts
    if relevant is not None:
        columns += [recall(relevance, relevant, depth), ndcg(relevance, relevant, depth)]
    lengths = (hits.positions != NO_PASSAGE).sum(axis=1)
    return ScoredSystem(
        ranked=ranked,
        relevance=relevance,
        ranks=ranks,
        values=np.stack(columns, axis=1),
        run_depth=hits.positions.shape[1],
        mean_length=float(lengths.mean()) if len(lengths) else 0.0,
    )
