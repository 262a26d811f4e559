"""Top-k accuracy: the share of questions with a hit among the first k passages."""

import numpy as np
from jaxtyping import Float64, Integer

from eval.matching.first_hits import NO_HIT
from eval.metrics.contract import Metric


def top_k_accuracy(
    ranks: Integer[np.ndarray, " questions"], k: int
) -> Float64[np.ndarray, " questions"]:
    """Return 1 for each question whose first hit is among the first ``k`` passages, else 0.

    Source: Karpukhin et al. 2020 (DPR), section 5.
    """
    return np.where((ranks != NO_HIT) & (ranks <= k), 1.0, 0.0)


METRIC = Metric(
    name="top_{k}",
    label="top-{k}",
    cutoffs="every",
    needs_relevant=False,
    place=10,
    values=lambda judged, k: top_k_accuracy(judged.ranks, k),
)
