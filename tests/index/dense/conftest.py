"""Embeddings in memory for the tests of dense indexes."""

from collections.abc import Iterator

import numpy as np
import pytest


class ArrayEmbeddings:
    """Vectors in memory, rounded to float16 and handed out in blocks."""

    def __init__(self, vectors: np.ndarray, block: int = 100):
        self.vectors = vectors.astype(np.float16)
        self.block = block

    @property
    def dimension(self) -> int:
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        return len(self.vectors)

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, len(self), self.block):
            yield start, self.vectors[start : start + self.block]


@pytest.fixture(scope="session")
def array_embeddings() -> type[ArrayEmbeddings]:
    """Return ``array_embeddings(vectors, block=100)``."""
    return ArrayEmbeddings
