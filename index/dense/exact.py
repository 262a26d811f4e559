"""Exact search in NumPy: every inner product and every tie. The tests compare faiss with it.

It needs no package beyond NumPy, so it also serves small corpora where faiss is not installed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Num

from index.dense.contract import (
    QUESTIONS_AT_ONCE,
    DenseRecord,
    EmbeddingSource,
    check_search,
    check_size,
)
from index.score_keys import PADDING, best, pack, unpack
from spider.artifacts.array_stream import open_array
from spider.progress import Progress
from spider.ranking import Hits

VARIANT = "exact"
FILE = "vectors.npy"
PASSAGES_AT_ONCE = 8192


class Exact:
    """Keeps the float16 vectors of the embeddings and compares each with every question.

    Args:
        passages_at_once: vectors that are scored together; limits the memory of a search.
    """

    variant = VARIANT
    bytes_per_value = 2

    def __init__(self, *, passages_at_once: int = PASSAGES_AT_ONCE):
        self.passages_at_once = passages_at_once

    def build(
        self, embeddings: EmbeddingSource, folder: Path, progress: Progress
    ) -> dict[str, Any]:
        """Write ``vectors.npy`` into an existing folder; return the details that ``load`` needs."""
        shape = (len(embeddings), embeddings.dimension)
        temporary = folder / f".{FILE}.tmp"
        if len(embeddings) == 0:
            np.save(folder / FILE, np.zeros(shape, dtype=np.float16), allow_pickle=False)
        else:
            vectors = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=shape)
            for start, block in embeddings.blocks():
                vectors[start : start + len(block)] = block
                progress.advance(len(block))
            vectors.flush()
            del vectors
            temporary.replace(folder / FILE)
        return ExactRecord(
            variant=VARIANT,
            passages=shape[0],
            dimension=shape[1],
            passages_at_once=self.passages_at_once,
        ).to_details()


@dataclass(frozen=True, kw_only=True)
class ExactRecord(DenseRecord):
    """The manifest's details of an exact index.

    Attributes:
        passages_at_once: passages whose scores are in memory at a time.
    """

    passages_at_once: int


class ExactSearcher:
    """Passage vectors, in memory or mapped, open for search."""

    def __init__(
        self,
        vectors: Num[np.ndarray, "passages dimension"],
        *,
        passages_at_once: int = PASSAGES_AT_ONCE,
    ):
        self.vectors = vectors
        self.passages_at_once = passages_at_once

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, vectors: Float32[np.ndarray, "questions dimension"], depth: int) -> Hits:
        """Return the passages of greatest inner product, with exact ties."""
        check_search(vectors, depth, self.dimension)
        kept = np.full((len(vectors), min(depth, len(self))), PADDING, dtype=np.int64)
        for first in range(0, len(vectors), QUESTIONS_AT_ONCE):
            rows = slice(first, first + QUESTIONS_AT_ONCE)
            kept[rows] = self._keys(vectors[rows], kept.shape[1])
        return unpack(kept, kept.shape[1])

    def _keys(
        self, questions: Float32[np.ndarray, "questions dimension"], width: int
    ) -> np.ndarray:
        kept = np.full((len(questions), width), PADDING, dtype=np.int64)
        for start in range(0, len(self), self.passages_at_once):
            block = np.asarray(self.vectors[start : start + self.passages_at_once], np.float32)
            scores = questions @ block.T
            positions = np.arange(start, start + len(block), dtype=np.int64)
            keys = pack(scores, np.broadcast_to(positions, scores.shape))
            kept = best(np.concatenate([kept, keys], axis=1), width)
        return kept


def load(folder: Path, details: Mapping[str, Any]) -> ExactSearcher:
    """Open what :meth:`Exact.build` wrote, memory-mapped.

    Raises:
        ArtifactError: the file is missing, damaged, or of another size than in the details.
    """
    record = ExactRecord.from_details(details, where=folder)
    vectors = open_array(folder / FILE, np.float16)
    check_size(folder, vectors.shape, record)
    return ExactSearcher(vectors, passages_at_once=record.passages_at_once)
