"""A faiss index in one file: filling, writing, opening and searching, for the faiss variants."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float32

from index.dense.contract import (
    QUESTIONS_AT_ONCE,
    DenseRecord,
    EmbeddingSource,
    check_search,
    check_size,
)
from index.score_keys import pack, unpack
from spider.errors import ArtifactError, MissingDependencyError, first_line
from spider.progress import Progress
from spider.ranking import Hits

FILE = "index.faiss"


def faiss_module() -> ModuleType:
    """Import faiss.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise MissingDependencyError(
            f"faiss is not importable ({error}); dense=exact searches without it", extra="cpu"
        ) from error
    module: ModuleType = faiss
    return module


def build_file(
    index: Any, embeddings: EmbeddingSource, folder: Path, progress: Progress, *, variant: str
) -> dict[str, Any]:
    """Fill an empty faiss index of fixed-size codes and write it atomically into the folder."""
    faiss = faiss_module()
    # reserves the memory: codes that grow by doubling would take up to twice the index
    index.codes.resize(len(embeddings) * index.code_size)
    index.codes.resize(0)
    for _, block in embeddings.blocks():
        index.add(np.ascontiguousarray(block, dtype=np.float32))
        progress.advance(len(block))
    temporary = folder / f".{FILE}.tmp"
    # faiss's own writer of files only prints that its last write failed: a full disk cut the index
    with temporary.open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / FILE)
    return DenseRecord(
        variant=variant, passages=len(embeddings), dimension=embeddings.dimension
    ).to_details()


class FaissSearcher:
    """A faiss index, open for search."""

    def __init__(self, index: Any):
        self._index = index

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vectors: Float32[np.ndarray, "questions dimension"], depth: int) -> Hits:
        """Return the passages of greatest inner product.

        Ties are ordered within what faiss returned. Where several passages with equal scores
        compete for the end of the list, faiss chooses which of them it returns.
        """
        check_search(vectors, depth, self.dimension)
        width = min(depth, len(self))
        keys = np.empty((len(vectors), width), dtype=np.int64)
        for first in range(0, len(vectors) if width else 0, QUESTIONS_AT_ONCE):
            block = np.ascontiguousarray(vectors[first : first + QUESTIONS_AT_ONCE])
            scores, positions = self._index.search(block, width)
            keys[first : first + len(block)] = pack(scores, positions)
        return unpack(keys, width)


def load_file(folder: Path, details: Mapping[str, Any]) -> FaissSearcher:
    """Open what :func:`build_file` wrote, its codes memory-mapped.

    Raises:
        ArtifactError: the file is missing, damaged, or of another size than in the details.
        MissingDependencyError: faiss is not installed.
    """
    faiss = faiss_module()
    try:
        index = faiss.read_index(str(folder / FILE), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise ArtifactError(
            f"{folder / FILE}: faiss cannot read it ({first_line(error)}); build the index again"
        ) from error
    record = DenseRecord.from_details(details, where=folder)
    check_size(folder, (int(index.ntotal), int(index.d)), record)
    return FaissSearcher(index)
