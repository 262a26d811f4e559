"""The contract of a dense index: settings that build it, and a searcher that opens it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float16, Float32

from spider.artifacts.record import DetailsRecord
from spider.artifacts.variants import load_variant, variant_of
from spider.errors import ArtifactError, ConfigError
from spider.printable import counted
from spider.progress import Progress
from spider.ranking import Hits

QUESTIONS_AT_ONCE = 512


@runtime_checkable
class EmbeddingSource(Protocol):
    """Passage vectors in corpus order, block by block."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def __len__(self) -> int:
        """Count the vectors."""

    def blocks(self) -> Iterator[tuple[int, Float16[np.ndarray, "rows dimension"]]]:
        """Yield the position of a block's first vector, and the block."""


@runtime_checkable
class DenseIndex(Protocol):
    """The settings of a variant."""

    @property
    def variant(self) -> str:
        """The module of ``index/dense`` that loads what ``build`` wrote."""

    @property
    def bytes_per_value(self) -> int:
        """Bytes for one number of a vector, on disk and in memory."""

    def build(
        self, embeddings: EmbeddingSource, folder: Path, progress: Progress
    ) -> dict[str, Any]:
        """Write the index into an existing folder; return the details that ``load`` needs."""


@runtime_checkable
class DenseSearcher(Protocol):
    """An index that is open for search."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def __len__(self) -> int:
        """Count the passages."""

    def search(self, vectors: Float32[np.ndarray, "questions dimension"], depth: int) -> Hits:
        """Return the passages of greatest inner product, score descending, position ascending.

        The hits have no more columns than there are passages.
        """


def load_dense(folder: Path, details: Mapping[str, Any]) -> DenseSearcher:
    """Open the index that the details in a manifest describe.

    Raises:
        ArtifactError: there is no such variant, or the files do not fit the details.
    """
    load = load_variant(
        "index.dense", variant_of(details, where=folder), what="dense", where=folder
    )
    searcher: DenseSearcher = load(folder, details)
    return searcher


def check_search(
    vectors: Float32[np.ndarray, "questions dimension"], depth: int, dimension: int
) -> None:
    """Refuse question vectors of another dimension, and a depth below 1.

    Raises:
        ArtifactError: the dimensions differ.
        ConfigError: the depth is below 1.
    """
    if vectors.shape[1] != dimension:
        raise ArtifactError(
            f"question vectors have dimension {vectors.shape[1]}, the index has {dimension}: "
            "search with the encoder that embedded the passages"
        )
    if depth < 1:
        raise ConfigError(f"search depth {depth}: expected at least 1")


@dataclass(frozen=True, kw_only=True)
class DenseRecord(DetailsRecord):
    """The manifest's details of a dense part; a variant may add entries.

    Attributes:
        variant: the file in ``index/dense`` that loads it.
        passages: number of vectors.
        dimension: length of a vector.
    """

    variant: str
    passages: int
    dimension: int


def check_size(folder: Path, got: tuple[int, int], record: DenseRecord) -> None:
    """Refuse a file whose (passages, dimension) are not those of the manifest.

    Raises:
        ArtifactError: they differ.
    """
    expected = (record.passages, record.dimension)
    if got != expected:
        raise ArtifactError(
            f"{folder}: the index holds {counted(got[0], 'vector')} of dimension {got[1]}, its "
            f"manifest says {expected[0]:,} of {expected[1]}; build the index again"
        )
