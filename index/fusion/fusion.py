"""What a fusion variant offers, and the alignment of two rankings that all of them start from."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int64

from index.score_keys import pack, unpack
from spider.artifacts.variants import load_variant
from spider.errors import ConfigError
from spider.ranking import NO_PASSAGE, Hits


class Fused(NamedTuple):
    """A fused ranking, and how much of each score came from the dense retriever.

    Attributes:
        hits: as of any retriever.
        dense_share: between 0 and 1; the sparse retriever's share is the rest. 0 where padded.
    """

    hits: Hits
    dense_share: Float32[np.ndarray, "questions depth"]


@runtime_checkable
class Fusion(Protocol):
    """A variant's settings, which are also what serves."""

    @property
    def variant(self) -> str:
        """The file in ``index/fusion`` that loads it."""

    @property
    def dense_depth(self) -> int:
        """How many passages are taken from the dense retriever (the paper's k')."""

    @property
    def sparse_depth(self) -> int:
        """How many passages are taken from the sparse retriever."""

    @property
    def needs_weight(self) -> bool:
        """Whether a weight has to be chosen before it can fuse."""

    def with_weight(self, weight: float) -> "Fusion":
        """Return the same fusion with the dense retriever's weight set."""

    def settings(self) -> dict[str, Any]:
        """Return what :func:`load_fusion` makes it again from."""

    def fuse(self, dense: Hits, sparse: Hits, depth: int) -> Fused:
        """Join two rankings of the same questions."""


class Aligned(NamedTuple):
    """The union of two rankings; position -1 and score nan where a column is empty.

    A passage that is missing from one of them has nan there.
    """

    positions: Int64[np.ndarray, "questions union"]
    dense: Float64[np.ndarray, "questions union"]
    sparse: Float64[np.ndarray, "questions union"]


def align(dense: Hits, sparse: Hits) -> Aligned:
    """Lay two rankings side by side, passage by passage, in ascending position.

    Raises:
        ConfigError: they rank different numbers of questions.
    """
    if len(dense.positions) != len(sparse.positions):
        raise ConfigError(
            f"rankings of {len(dense.positions)} and {len(sparse.positions)} questions "
            "cannot be fused"
        )
    positions = np.concatenate([dense.positions, sparse.positions], axis=1)
    if positions.shape[1] == 0:
        empty = np.empty(positions.shape)
        return Aligned(positions, empty, empty)
    # one sort of (position, retriever, column): a passage of both lists comes as two neighbours
    columns = np.arange(positions.shape[1], dtype=np.int64)
    width = np.int64(positions.shape[1])
    keys = np.sort(positions * width + columns, axis=1)
    order = keys % width
    positions = (keys - order) // width
    rows = np.arange(len(positions))[:, None]
    from_dense = order < dense.positions.shape[1]
    present = positions != NO_PASSAGE
    scores = np.concatenate([dense.scores, sparse.scores], axis=1)[rows, order].astype(np.float64)
    dense_scores = np.where(from_dense & present, scores, np.nan)
    sparse_scores = np.where(~from_dense & present, scores, np.nan)
    twice = present[:, 1:] & (positions[:, 1:] == positions[:, :-1])
    sparse_scores[:, :-1][twice] = sparse_scores[:, 1:][twice]
    positions[:, 1:][twice] = NO_PASSAGE
    sparse_scores[:, 1:][twice] = np.nan
    return Aligned(positions, dense_scores, sparse_scores)


def rank_aligned(
    positions: Int64[np.ndarray, "questions union"],
    scores: Float64[np.ndarray, "questions union"],
    dense_share: Float64[np.ndarray, "questions union"],
    depth: int,
) -> Fused:
    """Keep the best ``depth`` columns of each row, score descending, position ascending."""
    columns = np.broadcast_to(np.arange(positions.shape[1], dtype=np.int64), positions.shape)
    # columns ascend with positions, so ties break alike, and they find the shares again
    columns = np.where(positions == NO_PASSAGE, NO_PASSAGE, columns)
    ranked = unpack(pack(scores.astype(np.float32), columns), depth)
    absent = ranked.positions == NO_PASSAGE
    if positions.shape[1] == 0:
        return Fused(ranked, np.zeros(absent.shape, dtype=np.float32))
    kept = np.where(absent, 0, ranked.positions)
    found = np.where(absent, NO_PASSAGE, np.take_along_axis(positions, kept, axis=1))
    share = np.where(absent, 0.0, np.take_along_axis(dense_share, kept, axis=1))
    return Fused(Hits(found, ranked.scores), share.astype(np.float32))


def split_share(
    dense: Float64[np.ndarray, "questions union"], sparse: Float64[np.ndarray, "questions union"]
) -> Float64[np.ndarray, "questions union"]:
    """Return the dense part of two non-negative contributions; one half where both are zero."""
    total = dense + sparse
    return np.where(total > 0, dense / np.where(total > 0, total, 1.0), 0.5)


def check_depths(dense_depth: int, sparse_depth: int) -> None:
    """Refuse depths below 1.

    Raises:
        ConfigError: one is.
    """
    if min(dense_depth, sparse_depth) < 1:
        raise ConfigError(
            f"fusion depths: got dense_depth={dense_depth}, sparse_depth={sparse_depth}, "
            "expected at least 1"
        )


def load_fusion(settings: Mapping[str, Any]) -> Fusion:
    """Make the fusion that a manifest's settings describe.

    Raises:
        ArtifactError: there is no such variant.
    """
    fusion: Fusion = load_variant("index.fusion", str(settings["variant"]), what="fusion")(settings)
    return fusion
