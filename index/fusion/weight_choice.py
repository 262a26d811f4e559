"""Chooses one weight of a weighted sum without labels.

The scores of unit vectors lie between -1 and 1 whatever the scale of BM25 is. The paper's weight of
1, which is meant for raw scores, would give the dense ranking almost no influence. The weight is
therefore chosen on recurring spans held out from training: pseudo-questions of the validation
documents. Their relevant passages are the other passages of the document that hold the span. The
documents and questions of a report are not used. On windows copied from text the weight came out
far too small (8 for MiniLM, where 30 is best on questions); docs/adr/0021 has the weights of both.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64, Int64

from index.fusion.alignment import align, list_minimum
from index.fusion.contract import WeightChoice
from spider.errors import ConfigError, DataError
from spider.ranking import Hits

CANDIDATES = (0.0, *(float(2.0 ** (step / 2)) for step in range(-4, 21)))
"""0, then 1/4 to 1,024 by factors of √2: BM25 scores differ by tens, those of unit vectors by
tenths."""

HALF_GAIN_STEPS = 20


def choose_weight(
    rankings: Mapping[str, Hits],
    weights: Mapping[str, float | None],
    relevant: Sequence[Sequence[int]],
    candidates: Sequence[float] = CANDIDATES,
) -> WeightChoice:
    """Choose the weight with the greatest mean gain of the first relevant passage.

    Args:
        rankings: lists of the pseudo-questions by name, to the depths that the fusion uses.
        weights: the weights by name; the one that is None is chosen.
        relevant: positions of the relevant passages of each pseudo-question.
        candidates: weights to try.

    Raises:
        ConfigError: not exactly one weight is None.
        DataError: there is no pseudo-question.
    """
    chosen_for = [name for name, weight in weights.items() if weight is None]
    if len(chosen_for) != 1:
        raise ConfigError(f"fusion weights {dict(weights)}: expected one null, to be chosen")
    if not relevant:
        raise DataError("no held-out query to choose the fusion's weight on")
    tried = np.array(sorted(candidates))
    gains = np.zeros(len(tried))
    union = align(rankings)
    filled = {
        name: np.where(np.isnan(scores), list_minimum(rankings[name]), scores)
        for name, scores in union.scores.items()
    }
    tuned = filled[chosen_for[0]]
    fixed = np.zeros(tuned.shape)
    for name, weight in weights.items():
        if weight is not None:
            fixed += weight * filled[name]
    for row, wanted in enumerate(relevant):
        held = union.positions[row] >= 0
        ranks = first_relevant_ranks(
            union.positions[row, held], tried[:, None] * tuned[row, held] + fixed[row, held], wanted
        )
        gains += gain(ranks)
    gains /= len(relevant)
    # argmax takes the first of equals, and the candidates ascend
    best = float(tried[int(np.argmax(gains))])
    curve = tuple(zip(tried.tolist(), gains.round(6).tolist(), strict=True))
    return WeightChoice(best, curve)


def first_relevant_ranks(
    positions: Int64[np.ndarray, " union"],
    scores: Float64[np.ndarray, "weights union"],
    relevant: Sequence[int],
) -> Float64[np.ndarray, " weights"]:
    """Return the rank, from 1, of the best relevant passage under each weight; inf if none."""
    # positions ascend within a union and argmax takes the first: ties are ordered by position
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

    The reciprocal rank would depend on the first ranks only. The accuracy itself changes in
    steps, which are noise where there are few queries.
    """
    return HALF_GAIN_STEPS / (HALF_GAIN_STEPS - 1.0 + ranks)
