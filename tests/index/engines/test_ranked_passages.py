"""From hits to passages, by hand."""

from typing import Any

import numpy as np

from index.engines.ranked_passages import rank_passages
from index.fusion.contract import Fused
from spider.ranking import pad_hits


def test_rows_become_passages_without_padding(make_corpus: Any) -> None:
    corpus = make_corpus([("Cats", ["a cat", "two cats"]), ("Dogs", ["a dog"])])
    rows = [
        (np.array([2, 0]), np.array([3.5, 1.25], dtype=np.float32)),
        (np.array([]), np.array([])),
    ]
    dense = np.array([[0.25, 1.0, 0.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    bm25 = np.array([[0.75, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    first, second = rank_passages(corpus, Fused(pad_hits(rows, 3), {"dense": dense, "bm25": bm25}))
    assert second == []
    assert [(hit.rank, hit.position, hit.id, hit.score) for hit in first] == [
        (1, 2, "d1#0", 3.5),
        (2, 0, "d0#0", 1.25),
    ]
    assert (first[0].title, first[0].text, first[0].source) == ("Dogs", "a dog", "d1")
    assert first[0].shares == {"dense": 0.25, "bm25": 0.75}
