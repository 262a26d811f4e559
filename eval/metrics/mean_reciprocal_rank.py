"""Mean reciprocal rank of the first hit."""

import numpy as np
from jaxtyping import Float64, Integer

from eval.matching.first_hits import NO_HIT
from eval.metrics.contract import Metric


def reciprocal_rank(
    ranks: Integer[np.ndarray, " questions"], k: int
) -> Float64[np.ndarray, " questions"]:
    """Return 1 / rank of each question's first hit, and 0 where none is among the first ``k``."""
    found = (ranks != NO_HIT) & (ranks <= k)
    return np.where(found, 1.0 / np.maximum(ranks, 1), 0.0)


METRIC = Metric(
    name="mrr",
    label="MRR",
    cutoffs="largest",
    needs_relevant=False,
    place=20,
    values=lambda judged, k: reciprocal_rank(judged.ranks, k),
)
