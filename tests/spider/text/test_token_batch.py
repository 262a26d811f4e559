import numpy as np

from spider.text.token_batch import token_batch


def test_lays_texts_end_to_end():
    batch = token_batch(
        [np.array([3, 1], np.int32), np.array([], np.int32), np.array([7], np.int32)]
    )
    assert batch.ids.tolist() == [3, 1, 7]
    assert batch.offsets.tolist() == [0, 2, 2, 3]
    assert batch.n_texts == 3
    assert batch.lengths.tolist() == [2, 0, 1]


def test_slice_keeps_the_texts():
    batch = token_batch([np.array([3, 1]), np.array([4]), np.array([7, 8])]).slice(1, 3)
    assert batch.ids.tolist() == [4, 7, 8]
    assert batch.offsets.tolist() == [0, 1, 3]


def test_no_texts():
    batch = token_batch([])
    assert batch.n_texts == 0
    assert batch.ids.tolist() == []
