"""Normalised discounted cumulative gain, with the grades of the judgements as gains."""

import numpy as np
from jaxtyping import Float64

from eval.metrics.contract import Judged, Metric


def ndcg(
    gains: Float64[np.ndarray, "questions depth"],
    ideal: Float64[np.ndarray, "questions cutoffs"],
    k: int,
) -> Float64[np.ndarray, " questions"]:
    """Return each question's nDCG at ``k``: grade g at rank r gains g / log2(r + 1).

    Args:
        gains: the grade that each rank adds.
        ideal: the grades of the relevant passages in descending order, at least ``k`` or all of
            them; if all are 0, so is the nDCG.
        k: number of passages that count.

    Source: Järvelin and Kekäläinen 2002, in the form of trec_eval's ``ndcg_cut``: the gain is the
    grade itself, not 2 to the power of it.
    """
    gained, best = _discounted(gains, k), _discounted(ideal, k)
    return np.where(best > 0, gained / np.where(best > 0, best, 1.0), 0.0)


def _discounted(
    gains: Float64[np.ndarray, "questions depth"], k: int
) -> Float64[np.ndarray, " questions"]:
    width = min(k, gains.shape[1])
    discounts = 1.0 / np.log2(np.arange(2, width + 2))
    total: Float64[np.ndarray, " questions"] = gains[:, :width] @ discounts
    return total


def _values(judged: Judged, k: int) -> Float64[np.ndarray, " questions"]:
    if judged.graded is None:
        raise ValueError("nDCG needs the number of relevant passages")
    return ndcg(judged.graded.gains, judged.graded.ideal, k)


METRIC = Metric(
    name="ndcg_{k}",
    label="nDCG@{k}",
    cutoffs="every",
    needs_relevant=True,
    place=40,
    values=_values,
)
