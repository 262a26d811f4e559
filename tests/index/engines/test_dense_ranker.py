"""An encoder in front of a dense index."""

from typing import Any

import numpy as np
import pytest

from index.dense.exact import ExactSearcher
from index.engines.contract import Ranker
from index.engines.dense_ranker import DenseRanker
from spider.errors import ArtifactError


def test_questions_are_encoded_and_searched(fake_dense: Any) -> None:
    assert isinstance(fake_dense, Ranker)
    hits = fake_dense.search(("5 2", "1"), 2)
    assert hits.positions.tolist() == [[5, 2], [1, 0]]
    assert hits.scores.tolist() == [[1.0, 0.5], [1.0, 0.0]]
    fake_dense.close()


def test_a_question_of_unknown_words_gets_no_passage() -> None:
    class Encoder:
        dimension = 3

        def encode_questions(self, texts: Any) -> np.ndarray:
            return np.array([[0, 0, 0], [0, 1, 0]], dtype=np.float32)

    ranker = DenseRanker(ExactSearcher(np.eye(3, dtype=np.float16)), Encoder())
    hits = ranker.search(["zzz", "b"], 2)
    assert hits.positions.tolist() == [[-1, -1], [1, 0]]
    assert hits.scores.tolist() == [[-np.inf, -np.inf], [1, 0]]


def test_another_dimension_is_refused() -> None:
    class Encoder:
        dimension = 5

        def encode_questions(self, texts: Any) -> np.ndarray:
            raise AssertionError("never asked")

    with pytest.raises(ArtifactError, match="the index has dimension 3, the encoder 5"):
        DenseRanker(ExactSearcher(np.eye(3, dtype=np.float16)), Encoder())
