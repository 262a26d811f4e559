"""The hybrid retriever over fakes: what is asked of which part, to which depth, and the fusion."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from index.engines.contract import IndexEngine
from index.engines.hybrid import HybridRetriever
from index.fusion.reciprocal_rank import ReciprocalRank
from index.fusion.weighted_sum import WeightedSum
from spider.errors import ConfigError
from spider.ranking import Hits


@pytest.fixture
def retriever(fake_dense: Any, fake_sparse: Any) -> HybridRetriever:
    fusion = WeightedSum(weights={"dense": 4.0, "bm25": 1.0}, depths={"dense": 3, "bm25": 2})
    return HybridRetriever(rankers={"bm25": fake_sparse(), "dense": fake_dense}, fusion=fusion)


def test_each_part_is_searched_to_its_own_depth(retriever: HybridRetriever) -> None:
    found = retriever.search_each(["5 2 1"], {"dense": 3, "bm25": 2})
    assert found["dense"].positions.tolist() == [[5, 2, 1]]
    assert found["bm25"].positions.tolist() == [[2, 4]]
    assert list(retriever.search_each(["5 2 1"], {"dense": 1})) == ["dense"]
    fused = retriever.search_with_shares(["5 2 1"], 4)
    # minima 1/3 and 3: 5 has 4 + 3, 2 has 2 + 5, 1 and 4 have 4/3 + 3
    assert fused.hits.positions.tolist() == [[2, 5, 1, 4]]
    np.testing.assert_allclose(fused.hits.scores, [[7, 7, 13 / 3, 13 / 3]], rtol=1e-6)
    # above the minima, 2 has 2/3 and 2; 5 has 8/3 and 0
    np.testing.assert_allclose(fused.shares["dense"][0, :2], [0.25, 1.0], rtol=1e-6)


def test_excluded_passages_are_in_no_list_and_are_made_up_for(retriever: HybridRetriever) -> None:
    excluded = [[2], []]
    questions = ["5 2 1", "5 2 1"]
    found = retriever.rankings(questions, 3, systems=("bm25", "dense", "hybrid"), excluded=excluded)
    assert list(found) == ["bm25", "dense", "hybrid"]
    assert found["bm25"].positions.tolist() == [[4, 0, -1], [2, 4, 0]]
    assert found["dense"].positions.tolist() == [[5, 1, 0], [5, 2, 1]]
    assert not (found["hybrid"].positions[0] == 2).any()
    assert found["hybrid"].positions[1].tolist() == [2, 5, 1]
    shared = retriever.search_with_shares(questions, 3, excluded=excluded)
    assert shared.hits.positions.tolist() == found["hybrid"].positions.tolist()


def test_a_hybrid_ranking_does_not_depend_on_what_else_is_asked(retriever: HybridRetriever) -> None:
    alone = retriever.rankings(["5 2 1"], 6, systems=("hybrid",))["hybrid"]
    among = retriever.rankings(["5 2 1"], 6, systems=("dense", "hybrid"))["hybrid"]
    assert alone.positions.tolist() == among.positions.tolist()
    assert alone.scores.tolist() == among.scores.tolist()


def test_the_recommended_system_is_the_last(retriever: HybridRetriever) -> None:
    assert isinstance(retriever, IndexEngine)
    assert retriever.systems == ("bm25", "dense", "hybrid")
    assert retriever.search(["5 2 1"], 2).positions.tolist() == [[2, 5]]
    assert retriever.search([], 2).positions.shape == (0, 2)


def test_one_part_alone(fake_dense: Any, fake_sparse: Any) -> None:
    bm25 = HybridRetriever(rankers={"bm25": fake_sparse()})
    assert bm25.systems == ("bm25",)
    found = bm25.search_with_shares(["x"], 4)
    assert found.hits.positions.tolist() == [[2, 4, 0, -1]]
    assert found.shares["bm25"].tolist() == [[1, 1, 1, 0]]
    with pytest.raises(ConfigError, match=r"offers \['bm25'\]"):
        bm25.rankings(["x"], 3, systems=("hybrid",))
    dense = HybridRetriever(rankers={"dense": fake_dense}, fusion=WeightedSum())
    assert dense.systems == ("dense",)
    assert dense.search(["3"], 1).positions.tolist() == [[3]]
    with pytest.raises(ConfigError, match=r"offers \['dense'\]"):
        dense.search_with_shares(["3"], 1, system="hybrid")
    with pytest.raises(ConfigError, match="no part"):
        HybridRetriever(rankers={})


def test_three_parts_are_fused_by_name(fake_dense: Any, fake_sparse: Any) -> None:
    rankers = {"bm25": fake_sparse(), "titles": fake_sparse({3: 1.0}), "dense": fake_dense}
    depths = {"dense": 2, "bm25": 2, "titles": 2}
    retriever = HybridRetriever(rankers=rankers, fusion=ReciprocalRank(depths=depths))
    assert retriever.systems == ("bm25", "titles", "dense", "hybrid")
    found = retriever.rankings(["3 2"], 4, systems=["titles", "hybrid"])
    assert found["titles"].positions.tolist() == [[3, -1, -1, -1]]
    # 3 is first twice; 2 is first and second; 4 is second
    assert found["hybrid"].positions.tolist() == [[3, 2, 4, -1]]
    retriever.close()
    assert rankers["titles"].closed == 1


class Broken:
    def __len__(self) -> int:
        return 6

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        raise OSError("the disk is gone")

    def close(self) -> None:
        pass


@pytest.mark.parametrize("broken", ["bm25", "dense"])
def test_an_error_of_any_part_is_the_callers(
    broken: str, fake_dense: Any, fake_sparse: Any
) -> None:
    rankers = {"bm25": fake_sparse(), "dense": fake_dense, broken: Broken()}
    retriever = HybridRetriever(rankers=rankers, fusion=WeightedSum().with_weight(1.0))
    with pytest.raises(OSError, match="the disk is gone"):
        retriever.search(["1"], 2)
    retriever.close()


def test_closing_twice_and_searching_afterwards(retriever: HybridRetriever) -> None:
    retriever.close()
    retriever.close()
    with pytest.raises(ValueError, match="closed"):
        retriever.search(["1"], 2)
