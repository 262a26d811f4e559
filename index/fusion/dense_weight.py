"""The dense score's weight in the hybrid, chosen without a label.

Unit vectors give scores between -1 and 1, whatever BM25's scale is, so the paper's weight of 1 on
raw scores would leave BM25 nearly alone. The weight is therefore chosen on recurring spans held
out from training: pseudo-questions of the validation documents, whose relevant passages are the
document's other passages with the span. Neither the documents nor the questions that are reported
take part.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from index.fusion.fusion import align
from index.fusion.weighted_sum import list_minimum
from spider.errors import DataError
from spider.ranking import Hits

WEIGHTS = (0.0, *(float(2.0 ** (step / 2)) for step in range(-4, 21)))
"""0, then 1/4 to 1,024 by factors of √2: BM25 spreads over tens, unit vectors over tenths."""

HALF_WAY = 20


class WeightChoice(NamedTuple):
    """A weight and how well every candidate did.

    Attributes:
        weight: the best candidate; of equally good ones the smallest.
        curve: (weight, mean gain) of every candidate.
    """

    weight: float
    curve: tuple[tuple[float, float], ...]


def choose_weight(
    dense: Hits,
    sparse: Hits,
    relevant: Sequence[Sequence[int]],
    weights: Sequence[float] = WEIGHTS,
) -> WeightChoice:
    """Choose the weight of the greatest mean gain of the first relevant passage.

    Args:
        dense: the dense lists of the pseudo-questions, to the depth that the hybrid uses.
        sparse: the sparse lists of the same.
        relevant: positions of each one's relevant passages.
        weights: candidates.

    Raises:
        DataError: there is no pseudo-question.
    """
    if not relevant:
        raise DataError("no held-out query to choose the dense weight on")
    candidates = np.array(sorted(weights))
    gains = np.zeros(len(candidates))
    union = align(dense, sparse)
    dense_scores = np.where(np.isnan(union.dense), list_minimum(dense), union.dense)
    sparse_scores = np.where(np.isnan(union.sparse), list_minimum(sparse), union.sparse)
    for row, wanted in enumerate(relevant):
        held = union.positions[row] >= 0
        ranks = first_relevant_ranks(
            union.positions[row, held],
            candidates[:, None] * dense_scores[row, held] + sparse_scores[row, held],
            wanted,
        )
        gains += gain(ranks)
    gains /= len(relevant)
    # argmax takes the first of equals, and the candidates ascend
    chosen = float(candidates[int(np.argmax(gains))])
    curve = tuple(zip(candidates.tolist(), gains.round(6).tolist(), strict=True))
    return WeightChoice(chosen, curve)


def first_relevant_ranks(
    positions: Int64[np.ndarray, " union"],
    scores: Float64[np.ndarray, "weights union"],
    relevant: Sequence[int],
) -> Float64[np.ndarray, " weights"]:
    """Return the rank, from 1, of the best relevant passage under each weight; inf if none."""
    # positions ascend within a union, and argmax takes the first: the tie rule of the house
    wanted = np.flatnonzero(np.isin(positions, np.asarray(relevant, dtype=np.int64)))
    if len(wanted) == 0:
        return np.full(len(scores), np.inf)
    rounded = scores.astype(np.float32)
    place = wanted[np.argmax(rounded[:, wanted], axis=1)]
    own = np.take_along_axis(rounded, place[:, None], axis=1)
    before = np.arange(len(positions)) < place[:, None]
    ahead = (rounded > own) | ((rounded == own) & before)
    ranks: Float64[np.ndarray, " weights"] = 1.0 + ahead.sum(axis=1)
    return ranks


def gain(ranks: Float64[np.ndarray, " weights"]) -> Float64[np.ndarray, " weights"]:
    """Return a smooth top-20 accuracy: 1 at rank 1, one half at rank 21, 0 beyond the list.

    Reciprocal rank would look at the first places alone, and the accuracy itself moves in steps
    that are noise with few queries.
    """
    return HALF_WAY / (HALF_WAY - 1.0 + ranks)
