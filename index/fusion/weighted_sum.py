"""Weighted sum of scores: hybrid = weight · dense + BM25, and the same for more rankings.

Source: Spider (Ram et al. 2022), section 3.2, after Ma et al. 2021: the best k' passages of each
retriever; a passage that one list lacks gets the minimum score of that list. The paper's weight
is 1 for every model and data set, on raw scores. In the released code, lambda multiplies BM25
instead, and the order of ties depends on a dictionary; here ties are ordered by position.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from index.fusion import weight_choice
from index.fusion.alignment import align, list_minimum, rank_aligned, split_shares
from index.fusion.contract import DEPTHS, Fused, WeightChoice, check_depths, check_rankings
from spider.errors import ConfigError, SettingError
from spider.ranking import Hits

VARIANT = "weighted_sum"
WEIGHTS: Mapping[str, float | None] = {"dense": None, "bm25": 1.0}


class WeightedSum:
    """Adds the scores of rankings, each multiplied by its weight.

    Args:
        weights: the multiplier of each ranking, by its name. One of them may be null: ``build``
            then chooses it without labels for an encoder of unit vectors, and takes 1 for an
            encoder of raw scores.
        depths: passages taken from each ranking, by its name.
    """

    variant = VARIANT

    def __init__(
        self,
        *,
        weights: Mapping[str, float | None] = WEIGHTS,
        depths: Mapping[str, int] = DEPTHS,
    ):
        check_depths(depths)
        if set(weights) != set(depths):
            raise SettingError("weights", dict(weights), f"a weight for each of {sorted(depths)}")
        for name, weight in weights.items():
            if weight is not None and not (np.isfinite(weight) and weight >= 0):
                raise SettingError(f"weights.{name}", weight, "0 or more")
        if sum(weight is None for weight in weights.values()) > 1:
            raise SettingError("weights", dict(weights), "at most one null")
        self.weights = dict(weights)
        self.depths = dict(depths)

    @property
    def untuned(self) -> str | None:
        """The name of the ranking whose weight has to be chosen; None if there is none."""
        return next((name for name, weight in self.weights.items() if weight is None), None)

    def with_weight(self, weight: float) -> "WeightedSum":
        """Return the same fusion with the untuned ranking's weight set."""
        weights = {n: weight if own is None else own for n, own in self.weights.items()}
        return WeightedSum(weights=weights, depths=self.depths)

    def choose_weight(
        self, rankings: Mapping[str, Hits], relevant: Sequence[Sequence[int]]
    ) -> WeightChoice:
        """Choose the untuned ranking's weight on pseudo-questions with relevant passages."""
        check_rankings(rankings, self.depths)
        return weight_choice.choose_weight(rankings, self.weights, relevant)

    def settings(self) -> dict[str, Any]:
        """Return the settings from which :func:`load` makes an equal fusion."""
        return {"variant": VARIANT, "weights": self.weights, "depths": self.depths}

    def fuse(self, rankings: Mapping[str, Hits], depth: int) -> Fused:
        """Join rankings of the same questions.

        Raises:
            ConfigError: a weight has not been chosen, or the rankings are not the fusion's.
        """
        check_rankings(rankings, self.depths)
        weights = {name: weight for name, weight in self.weights.items() if weight is not None}
        if self.untuned is not None:
            raise ConfigError(
                f"this fusion has no weight for {self.untuned!r} yet; "
                f"fix: fusion.weights.{self.untuned}=1.0"
            )
        return weighted_sum(rankings, weights, depth=depth)


def load(settings: Mapping[str, Any]) -> WeightedSum:
    """Make the fusion that the settings in a manifest describe."""
    return WeightedSum(weights=settings["weights"], depths=settings["depths"])


def weighted_sum(
    rankings: Mapping[str, Hits], weights: Mapping[str, float], *, depth: int
) -> Fused:
    """Fuse rankings of the same questions.

    The contribution of a ranking is ``weight · (score - minimum of its list)``, so a ranking
    that lacks the passage contributes nothing. A share is a contribution divided by their sum.
    """
    union = align(rankings)
    total = np.zeros(union.positions.shape)
    contributions = {}
    for name, weight in weights.items():
        floor = list_minimum(rankings[name])
        filled = np.where(np.isnan(union.scores[name]), floor, union.scores[name])
        contributions[name] = weight * (filled - floor)
        total += weight * filled
    return rank_aligned(union.positions, total, split_shares(contributions), depth)
