"""Normalised discounted cumulative gain with binary relevance."""

import numpy as np
from jaxtyping import Bool, Float64, Integer

from eval.metrics.contract import Judged, Metric


def ndcg(
    relevance: Bool[np.ndarray, "questions depth"],
    relevant: Integer[np.ndarray, " questions"],
    k: int,
) -> Float64[np.ndarray, " questions"]:
    """Return each question's nDCG at ``k``: a hit at rank r gains 1 / log2(r + 1).

    Args:
        relevance: whether the passage at each rank is relevant.
        relevant: number of relevant passages of each question; if it is 0, so is the nDCG.
        k: number of passages that count.

    Source: Järvelin and Kekäläinen 2002, in the form of trec_eval's ``ndcg_cut``.
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    width = min(k, relevance.shape[1])
    gained = relevance[:, :width] @ discounts[:width]
    ideal = np.concatenate(([0.0], np.cumsum(discounts)))[np.minimum(relevant, k)]
    return np.where(ideal > 0, gained / np.where(ideal > 0, ideal, 1.0), 0.0)


def _values(judged: Judged, k: int) -> Float64[np.ndarray, " questions"]:
    if judged.relevant is None:
        raise ValueError("nDCG needs the number of relevant passages")
    return ndcg(judged.relevance, judged.relevant, k)


METRIC = Metric(
    name="ndcg_{k}",
    label="nDCG@{k}",
    cutoffs="largest",
    needs_relevant=True,
    place=40,
    values=_values,
)
