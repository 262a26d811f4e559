import math

import numpy as np
import pytest

from eval.metrics.ndcg import ndcg


def test_hand_computed() -> None:
    relevance = np.array([[False, True, True], [False, False, False], [True, False, False]])
    relevant = np.array([2, 0, 5])
    first = (1 / math.log2(3) + 1 / math.log2(4)) / (1 / math.log2(2) + 1 / math.log2(3))
    third = 1 / (1 + 1 / math.log2(3) + 1 / math.log2(4))
    assert ndcg(relevance, relevant, 3).tolist() == pytest.approx([first, 0.0, third])


def test_the_ideal_list_may_be_longer_than_the_run() -> None:
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, 6))
    got = ndcg(np.array([[True]]), np.array([7]), 5)
    assert got.tolist() == pytest.approx([1 / ideal])
