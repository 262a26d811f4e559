"""Exact search: ties at the end of the list, and blocks that leave no trace."""

from pathlib import Path

import numpy as np
import pytest

from index.dense.exact import ExactSearcher, load
from spider.errors import ArtifactError


def test_the_lowest_positions_of_a_tie_at_the_end_are_kept() -> None:
    searcher = ExactSearcher(np.ones((50, 3), dtype=np.float16), passages_at_once=7)
    hits = searcher.search(np.ones((1, 3), dtype=np.float32), 9)
    assert hits.positions[0].tolist() == list(range(9))


@pytest.mark.parametrize("block", [1, 7, 40, 1000])
def test_the_size_of_a_block_changes_nothing(block: int) -> None:
    rng = np.random.default_rng(0)
    # small integers: inner products are exact, so ties are real
    passages = rng.integers(-2, 3, (40, 4)).astype(np.float16)
    questions = rng.integers(-2, 3, (5, 4)).astype(np.float32)
    hits = ExactSearcher(passages, passages_at_once=block).search(questions, 12)
    scores = questions @ passages.astype(np.float32).T
    order = np.lexsort((np.broadcast_to(np.arange(40), scores.shape), -scores), axis=1)[:, :12]
    assert hits.positions.tolist() == order.tolist()
    assert hits.scores.tolist() == np.take_along_axis(scores, order, axis=1).tolist()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    sizes = {"passages": 3, "dimension": 2, "passages_at_once": 8}
    with pytest.raises(ArtifactError, match=r"vectors\.npy: no such file"):
        load(tmp_path, {"variant": "exact", **sizes})
