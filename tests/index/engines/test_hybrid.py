"""The hybrid retriever over fakes: what is asked of whom, to which depth, and how it is joined."""

from collections.abc import Sequence

import numpy as np
import pytest

from index.dense.exact import ExactSearcher
from index.engines.hybrid import HybridRetriever
from index.fusion.weighted_sum import WeightedSum
from spider.errors import ConfigError
from spider.interfaces import Retriever
from spider.ranking import Hits, pad_hits

VECTORS = np.eye(6, dtype=np.float16)
BM25 = {0: 1.0, 2: 5.0, 4: 3.0}


class FakeEncoder:
    dimension = 6

    def encode_questions(self, texts: Sequence[str]) -> np.ndarray:
        # a question names the passages that it is near to, nearest first
        vectors = np.zeros((len(texts), 6), dtype=np.float32)
        for row, text in enumerate(texts):
            for place, passage in enumerate(text.split()):
                vectors[row, int(passage)] = 1 / (1 + place)
        return vectors


class FakeSparse:
    def __init__(self) -> None:
        self.depths: list[int] = []
        self.closed = False

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        self.depths.append(depth)
        order = sorted(BM25, key=lambda position: -BM25[position])[:depth]
        row = (np.array(order), np.array([BM25[p] for p in order], dtype=np.float32))
        return pad_hits([row] * len(questions), depth)

    def explain(self, question: str, position: int) -> list[tuple[str, float]]:
        return []

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def retriever() -> HybridRetriever:
    return HybridRetriever(
        dense=ExactSearcher(VECTORS),
        encoder=FakeEncoder(),
        sparse=FakeSparse(),
        fusion=WeightedSum(weight=4.0, dense_depth=3, sparse_depth=2),
    )


def test_components_go_to_their_own_depths(retriever: HybridRetriever) -> None:
    fused, dense, sparse = retriever.components(["5 2 1"], 4)
    assert dense.positions.tolist() == [[5, 2, 1]]
    assert sparse.positions.tolist() == [[2, 4]]
    # minima 1/3 and 3: 5 has 4 + 3, 2 has 2 + 5, 1 and 4 have 4/3 + 3
    assert fused.hits.positions.tolist() == [[2, 5, 1, 4]]
    np.testing.assert_allclose(fused.hits.scores, [[7, 7, 13 / 3, 13 / 3]], rtol=1e-6)


def test_excluded_passages_are_in_no_list_and_are_made_up_for(retriever: HybridRetriever) -> None:
    excluded = [[2], []]
    found = retriever.rankings(
        ["5 2 1", "5 2 1"], 3, systems=("bm25", "dense", "hybrid"), excluded=excluded
    )
    assert list(found) == ["bm25", "dense", "hybrid"]
    assert found["bm25"].positions.tolist() == [[4, 0, -1], [2, 4, 0]]
    assert found["dense"].positions.tolist() == [[5, 1, 0], [5, 2, 1]]
    assert not (found["hybrid"].positions[0] == 2).any()
    assert found["hybrid"].positions[1].tolist() == [2, 5, 1]


def test_a_hybrid_ranking_does_not_depend_on_what_else_is_asked(retriever: HybridRetriever) -> None:
    alone = retriever.rankings(["5 2 1"], 6, systems=("hybrid",))["hybrid"]
    among = retriever.rankings(["5 2 1"], 6, systems=("dense", "hybrid"))["hybrid"]
    assert alone.positions.tolist() == among.positions.tolist()
    assert alone.scores.tolist() == among.scores.tolist()


def test_it_is_a_retriever_and_searches_with_the_best_system(retriever: HybridRetriever) -> None:
    assert isinstance(retriever, Retriever)
    assert retriever.systems == ("bm25", "dense", "hybrid")
    assert retriever.search(["5 2 1"], 2).positions.tolist() == [[2, 5]]
    assert retriever.search([], 2).positions.shape == (0, 2)


def test_one_side_alone() -> None:
    sparse = FakeSparse()
    bm25 = HybridRetriever(dense=None, encoder=None, sparse=sparse, fusion=None)
    assert bm25.systems == ("bm25",)
    assert bm25.search(["x"], 9).positions[0, :3].tolist() == [2, 4, 0]
    with pytest.raises(ConfigError, match=r"offers \['bm25'\]"):
        bm25.rankings(["x"], 3, systems=("hybrid",))
    with pytest.raises(ConfigError, match="no hybrid here"):
        bm25.components(["x"], 3)
    bm25.close()
    assert sparse.closed
    dense = HybridRetriever(
        dense=ExactSearcher(VECTORS), encoder=FakeEncoder(), sparse=None, fusion=None
    )
    assert dense.systems == ("dense",)
    assert dense.search(["3"], 1).positions.tolist() == [[3]]


def test_a_retriever_without_parts_is_refused() -> None:
    with pytest.raises(ConfigError, match="neither"):
        HybridRetriever(dense=None, encoder=None, sparse=None, fusion=None)
    with pytest.raises(ConfigError, match="together"):
        HybridRetriever(dense=ExactSearcher(VECTORS), encoder=None, sparse=None, fusion=None)
