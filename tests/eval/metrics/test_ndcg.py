import math

import numpy as np
import pytest

from eval.metrics.ndcg import ndcg


def test_hand_computed() -> None:
    gains = np.array([[0.0, 1, 1], [0, 0, 0], [1, 0, 0]])
    ideal = np.array([[1.0, 1, 0], [0, 0, 0], [1, 1, 1]])
    first = (1 / math.log2(3) + 1 / math.log2(4)) / (1 / math.log2(2) + 1 / math.log2(3))
    third = 1 / (1 + 1 / math.log2(3) + 1 / math.log2(4))
    assert ndcg(gains, ideal, 3).tolist() == pytest.approx([first, 0.0, third])


def test_grades_are_the_gains_themselves() -> None:
    # the passage of grade 1 before the one of grade 2
    got = ndcg(np.array([[1.0, 2.0]]), np.array([[2.0, 1.0]]), 10)
    expected = (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3))
    assert got.tolist() == pytest.approx([expected])
    assert round(100 * expected, 1) == 86.0


def test_the_ideal_list_may_be_longer_than_the_run() -> None:
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, 6))
    got = ndcg(np.array([[1.0]]), np.ones((1, 7)), 5)
    assert got.tolist() == pytest.approx([1 / ideal])
