import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spider.encoders.layers.padding import pad, padded_batches
from spider.text.token_batch import token_batch


def test_sub_batches_fit_the_budget_and_waste_little():
    lengths = np.array([5, 40, 38, 6, 5, 41])
    groups = padded_batches(lengths, 90)
    assert sorted(np.concatenate(groups).tolist()) == list(range(6))
    assert all(len(group) * lengths[group].max() <= 90 for group in groups)
    assert [sorted(group.tolist()) for group in groups] == [[1, 5], [0, 2], [3, 4]] or sum(
        len(group) * lengths[group].max() for group in groups
    ) < 1.5 * lengths.sum()


def test_pad_by_hand() -> None:
    batch = token_batch([np.array([5, 6, 7]), np.array([], dtype=np.int64), np.array([8])])
    ids, mask = pad(batch, np.array([2, 0]), 9, "cpu")
    assert ids.tolist() == [[8, 9, 9], [5, 6, 7]]
    assert mask.tolist() == [[1, 0, 0], [1, 1, 1]]


def test_rows_and_length_are_filled_up() -> None:
    ids, mask = pad(token_batch([np.array([5])]), np.array([0]), 9, "cpu", rows=3, length=2)
    assert ids.tolist() == [[5, 9], [9, 9], [9, 9]]
    # attention over no token at all would divide by zero
    assert mask.tolist() == [[1, 0], [1, 0], [1, 0]]


@given(st.lists(st.integers(0, 40), max_size=20), st.integers(1, 60))
def test_groups_hold_every_text_once_and_fit_the_budget(lengths: list[int], budget: int) -> None:
    array = np.array(lengths, dtype=np.int64)
    groups = padded_batches(array, budget)
    assert sorted(i for group in groups for i in group.tolist()) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or len(group) * max(1, array[group].max()) <= budget
