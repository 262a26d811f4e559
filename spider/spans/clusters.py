"""Clusters of occurrences in memory, and the arrays that hold them on disk."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, Int64, UInt8

ARRAYS = {
    "documents": (np.int32, ()),
    "words": (np.uint8, ()),
    "offsets": (np.int64, ()),
    "positions": (np.int64, ()),
    "starts": (np.int32, ()),
    "ends": (np.int32, ()),
    "candidate_bounds": (np.int64, (2,)),
}
"""Type and shape of a value of each array of a span store."""


class Occurrences(NamedTuple):
    """Occurrences of a span: passage positions in the corpus, code points in the passage's text.

    In order of passage, then start; a passage may occur several times.
    """

    positions: Int64[np.ndarray, " occurrences"]
    starts: Int32[np.ndarray, " occurrences"]
    ends: Int32[np.ndarray, " occurrences"]


class Clusters(NamedTuple):
    """The clusters of one document.

    Attributes:
        words: span length in words.
        sizes: number of occurrences of each cluster, at least two.
        occurrences: those of the first cluster, then those of the second, and so on.
    """

    words: UInt8[np.ndarray, " clusters"]
    sizes: Int64[np.ndarray, " clusters"]
    occurrences: Occurrences


def join_clusters(parts: Sequence[Clusters]) -> Clusters:
    """Return the clusters of several parts of one document, in this order."""
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        places = nothing.astype(np.int32)
        return Clusters(nothing.astype(np.uint8), nothing, Occurrences(nothing, places, places))
    columns = zip(*(part.occurrences for part in parts), strict=True)
    return Clusters(
        np.concatenate([part.words for part in parts]),
        np.concatenate([part.sizes for part in parts]),
        Occurrences(*(np.concatenate(column) for column in columns)),
    )
