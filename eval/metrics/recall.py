"""Recall: the share of the relevant passages of a question that are among the first k."""

import numpy as np
from jaxtyping import Bool, Float64, Integer

from eval.metrics.contract import Judged, Metric


def recall(
    found: Bool[np.ndarray, "questions depth"],
    relevant: Integer[np.ndarray, " questions"],
    k: int,
) -> Float64[np.ndarray, " questions"]:
    """Return the recall of each question at ``k``.

    Args:
        found: whether each rank adds a relevant passage, or a document that is relevant as a
            whole; a document's second passage adds nothing.
        relevant: number of relevant passages of each question; if it is 0, so is the recall.
        k: number of passages that count.
    """
    number = found[:, :k].sum(axis=1)
    shares: Float64[np.ndarray, " questions"] = number / np.maximum(relevant, 1)
    return shares


def _values(judged: Judged, k: int) -> Float64[np.ndarray, " questions"]:
    if judged.graded is None:
        raise ValueError("recall needs the number of relevant passages")
    return recall(judged.graded.found, judged.graded.relevant, k)


METRIC = Metric(
    name="recall_{k}",
    label="recall@{k}",
    cutoffs="every",
    needs_relevant=True,
    place=30,
    values=_values,
)
