"""Fakes of the parts of an index: an encoder and a BM25 that need no file."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from index.dense.exact import ExactSearcher
from index.engines.dense_ranker import DenseRanker
from spider.ranking import Hits, pad_hits

BM25 = {0: 1.0, 2: 5.0, 4: 3.0}
PASSAGES = 6


class FakeEncoder:
    """A question names the passages that it is near to, nearest first."""

    dimension = PASSAGES

    def encode_questions(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), PASSAGES), dtype=np.float32)
        for row, text in enumerate(texts):
            for place, passage in enumerate(text.split()):
                vectors[row, int(passage)] = 1 / (1 + place)
        return vectors


class FakeSparse:
    """Every question finds the passages of ``BM25``."""

    def __init__(self, scores: dict[int, float]) -> None:
        self.scores = scores
        self.depths: list[int] = []
        self.closed = 0

    def __len__(self) -> int:
        return PASSAGES

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        self.depths.append(depth)
        order = sorted(self.scores, key=lambda position: -self.scores[position])[:depth]
        row = (np.array(order), np.array([self.scores[p] for p in order], dtype=np.float32))
        return pad_hits([row] * len(questions), depth)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def fake_dense() -> DenseRanker:
    vectors = np.eye(PASSAGES, dtype=np.float16)
    return DenseRanker(ExactSearcher(vectors), FakeEncoder())


@pytest.fixture
def fake_sparse() -> Callable[..., FakeSparse]:
    """Return ``fake_sparse(scores=BM25)``."""

    def make(scores: dict[int, float] = BM25) -> FakeSparse:
        return FakeSparse(scores)

    return make
