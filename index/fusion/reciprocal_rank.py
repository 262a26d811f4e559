"""Reciprocal rank fusion: the sum of 1 / (60 + rank) over the lists that hold a passage.

Source: Cormack, Clarke and Büttcher 2009. It looks at no score, so it fits engines whose scores
cannot be compared.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from index.fusion.fusion import Fused, align, check_depths, rank_aligned, split_share
from spider.errors import ConfigError
from spider.ranking import Hits, sort_hits

VARIANT = "reciprocal_rank"


class ReciprocalRank:
    """Adds reciprocal ranks.

    Args:
        constant: what is added to every rank (60 in the source); more flattens the top.
        dense_depth: passages taken from the dense retriever.
        sparse_depth: passages taken from the sparse retriever.
    """

    variant = VARIANT
    needs_weight = False

    def __init__(
        self, *, constant: float = 60.0, dense_depth: int = 1000, sparse_depth: int = 1000
    ):
        check_depths(dense_depth, sparse_depth)
        if not constant >= 0:
            raise ConfigError(f"reciprocal rank constant {constant}: expected 0 or more")
        self.constant = constant
        self.dense_depth = dense_depth
        self.sparse_depth = sparse_depth

    def with_weight(self, weight: float) -> "ReciprocalRank":
        """Return itself: ranks have no weight."""
        del weight
        return self

    def settings(self) -> dict[str, Any]:
        """Return what :func:`load` makes it again from."""
        return {
            "variant": VARIANT,
            "constant": self.constant,
            "dense_depth": self.dense_depth,
            "sparse_depth": self.sparse_depth,
        }

    def fuse(self, dense: Hits, sparse: Hits, depth: int) -> Fused:
        """Join two rankings of the same questions."""
        return reciprocal_rank(dense, sparse, constant=self.constant, depth=depth)


def load(settings: Mapping[str, Any]) -> ReciprocalRank:
    """Make the fusion that a manifest's settings describe."""
    return ReciprocalRank(
        constant=float(settings["constant"]),
        dense_depth=int(settings["dense_depth"]),
        sparse_depth=int(settings["sparse_depth"]),
    )


def reciprocal_rank(dense: Hits, sparse: Hits, *, constant: float, depth: int) -> Fused:
    """Fuse two rankings of the same questions; a share is a term's part of the sum."""
    union = align(_by_rank(dense, constant), _by_rank(sparse, constant))
    dense_terms = np.nan_to_num(union.dense, nan=0.0)
    sparse_terms = np.nan_to_num(union.sparse, nan=0.0)
    share = split_share(dense_terms, sparse_terms)
    return rank_aligned(union.positions, dense_terms + sparse_terms, share, depth)


def _by_rank(hits: Hits, constant: float) -> Hits:
    positions = sort_hits(hits).positions
    ranks = np.arange(1, positions.shape[1] + 1)
    terms = (1.0 / (constant + ranks)).astype(np.float32)
    return Hits(positions, np.broadcast_to(terms, positions.shape))
