import numpy as np

from eval.metrics.mean_reciprocal_rank import reciprocal_rank


def test_hand_computed() -> None:
    ranks = np.array([1, 4, 11, 0], dtype=np.int32)
    assert reciprocal_rank(ranks, 10).tolist() == [1.0, 0.25, 0.0, 0.0]
