"""Reciprocal rank fusion: the sum of 1 / (60 + rank) over the rankings that hold a passage.

Source: Cormack, Clarke and Büttcher 2009. It uses no score, so it fits engines whose scores
cannot be compared.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from index.fusion.alignment import align, rank_aligned, split_shares
from index.fusion.contract import DEPTHS, Fused, check_depths, check_rankings
from spider.errors import SettingError
from spider.ranking import Hits, sort_hits

VARIANT = "reciprocal_rank"


class ReciprocalRank:
    """Adds reciprocal ranks.

    Args:
        constant: added to every rank (60 in the source); a larger one flattens the top.
        depths: passages taken from each ranking, by its name.
    """

    variant = VARIANT

    def __init__(self, *, constant: float = 60.0, depths: Mapping[str, int] = DEPTHS):
        check_depths(depths)
        if not constant >= 0:
            raise SettingError("constant", constant, "0 or more")
        self.constant = constant
        self.depths = dict(depths)

    def settings(self) -> dict[str, Any]:
        """Return the settings from which :func:`load` makes an equal fusion."""
        return {"variant": VARIANT, "constant": self.constant, "depths": self.depths}

    def fuse(self, rankings: Mapping[str, Hits], depth: int) -> Fused:
        """Join rankings of the same questions."""
        check_rankings(rankings, self.depths)
        ordered = {name: rankings[name] for name in self.depths}
        return reciprocal_rank(ordered, constant=self.constant, depth=depth)


def load(settings: Mapping[str, Any]) -> ReciprocalRank:
    """Make the fusion that the settings in a manifest describe."""
    return ReciprocalRank(constant=float(settings["constant"]), depths=settings["depths"])


def reciprocal_rank(rankings: Mapping[str, Hits], *, constant: float, depth: int) -> Fused:
    """Fuse rankings of the same questions; a share is a term's part of the sum."""
    union = align({name: _by_rank(hits, constant) for name, hits in rankings.items()})
    terms = {name: np.nan_to_num(scores, nan=0.0) for name, scores in union.scores.items()}
    total = np.sum(list(terms.values()), axis=0)
    return rank_aligned(union.positions, total, split_shares(terms), depth)


def _by_rank(hits: Hits, constant: float) -> Hits:
    positions = sort_hits(hits).positions
    ranks = np.arange(1, positions.shape[1] + 1)
    terms = (1.0 / (constant + ranks)).astype(np.float32)
    return Hits(positions, np.broadcast_to(terms, positions.shape))
