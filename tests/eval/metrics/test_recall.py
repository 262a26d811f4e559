import numpy as np

from eval.metrics.recall import recall


def test_hand_computed() -> None:
    relevance = np.array([[True, False, True], [False, False, False], [False, True, False]])
    relevant = np.array([4, 0, 1])
    assert recall(relevance, relevant, 3).tolist() == [0.5, 0.0, 1.0]
    assert recall(relevance, relevant, 1).tolist() == [0.25, 0.0, 0.0]
    assert recall(relevance, relevant, 9).tolist() == [0.5, 0.0, 1.0]
