"""Weighted sum of scores: hybrid = weight · dense + BM25.

Source: Spider (Ram et al. 2022), section 3.2, after Ma et al. 2021: the best k' passages of each
retriever; a passage that one list lacks gets that list's minimum score. The paper's weight is 1
for every model and data set, on raw scores. The released code's lambda multiplies the other way
round and its ties depend on dictionary order; here ties go by position.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from index.fusion.fusion import Fused, align, check_depths, rank_aligned, split_share
from spider.errors import ConfigError
from spider.ranking import NO_PASSAGE, Hits

VARIANT = "weighted_sum"


class WeightedSum:
    """Adds the dense score, times a weight, to the BM25 score.

    Args:
        weight: the dense score's multiplier; None lets ``build`` choose it without labels for an
            encoder of unit vectors, and take 1 for one of raw scores.
        dense_depth: passages taken from the dense retriever.
        sparse_depth: passages taken from the sparse retriever.
    """

    variant = VARIANT

    def __init__(
        self, *, weight: float | None = None, dense_depth: int = 1000, sparse_depth: int = 1000
    ):
        check_depths(dense_depth, sparse_depth)
        if weight is not None and not (np.isfinite(weight) and weight >= 0):
            raise ConfigError(f"fusion weight {weight}: expected a number from 0 up")
        self.weight = weight
        self.dense_depth = dense_depth
        self.sparse_depth = sparse_depth

    @property
    def needs_weight(self) -> bool:
        """Whether a weight has to be chosen before it can fuse."""
        return self.weight is None

    def with_weight(self, weight: float) -> "WeightedSum":
        """Return the same fusion with the dense retriever's weight set."""
        return WeightedSum(
            weight=weight, dense_depth=self.dense_depth, sparse_depth=self.sparse_depth
        )

    def settings(self) -> dict[str, Any]:
        """Return what :func:`load` makes it again from."""
        return {
            "variant": VARIANT,
            "weight": self.weight,
            "dense_depth": self.dense_depth,
            "sparse_depth": self.sparse_depth,
        }

    def fuse(self, dense: Hits, sparse: Hits, depth: int) -> Fused:
        """Join two rankings of the same questions.

        Raises:
            ConfigError: no weight has been chosen.
        """
        if self.weight is None:
            raise ConfigError("this fusion has no weight yet; mend: fusion.weight=1.0")
        return weighted_sum(dense, sparse, weight=self.weight, depth=depth)


def load(settings: Mapping[str, Any]) -> WeightedSum:
    """Make the fusion that a manifest's settings describe."""
    return WeightedSum(
        weight=settings["weight"],
        dense_depth=int(settings["dense_depth"]),
        sparse_depth=int(settings["sparse_depth"]),
    )


def weighted_sum(dense: Hits, sparse: Hits, *, weight: float, depth: int) -> Fused:
    """Fuse two rankings of the same questions.

    A passage's dense share is ``weight · (dense - dense minimum)`` over that plus
    ``BM25 - BM25 minimum``: what lifts it above the floor that every fused passage has, so that a
    retriever that did not return it has no share in it.
    """
    union = align(dense, sparse)
    dense_floor, sparse_floor = list_minimum(dense), list_minimum(sparse)
    dense_scores = np.where(np.isnan(union.dense), dense_floor, union.dense)
    sparse_scores = np.where(np.isnan(union.sparse), sparse_floor, union.sparse)
    share = split_share(weight * (dense_scores - dense_floor), sparse_scores - sparse_floor)
    return rank_aligned(union.positions, weight * dense_scores + sparse_scores, share, depth)


def list_minimum(hits: Hits) -> Float64[np.ndarray, "questions 1"]:
    """Return each list's lowest score; 0 for a list that is empty."""
    present: Float32[np.ndarray, "questions depth"] = np.where(
        hits.positions == NO_PASSAGE, np.float32(np.inf), hits.scores
    )
    lowest = present.min(axis=1, initial=np.inf, keepdims=True).astype(np.float64)
    return np.where(np.isinf(lowest), 0.0, lowest)
