import numpy as np

from eval.metrics.top_k_accuracy import top_k_accuracy


def test_hand_computed() -> None:
    ranks = np.array([1, 5, 6, 0], dtype=np.int32)
    assert top_k_accuracy(ranks, 1).tolist() == [1, 0, 0, 0]
    assert top_k_accuracy(ranks, 5).tolist() == [1, 1, 0, 0]
    assert top_k_accuracy(ranks, 100).tolist() == [1, 1, 1, 0]
