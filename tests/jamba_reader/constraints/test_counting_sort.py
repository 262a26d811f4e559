"""Counting sorts against numpy's stable argsort."""

import numpy as np
import pytest

from jamba_reader.constraints.counting_sort import by_length, counting_sort


@pytest.mark.parametrize("size", [1, 2, 500])
def test_they_are_stable_sorts(size: int) -> None:
    random = np.random.default_rng(size)
    keys = random.integers(0, 7, size).astype(np.int32)
    expected = np.argsort(keys, kind="stable")
    assert by_length(keys).tolist() == expected.tolist()
    assert counting_sort(keys, np.arange(size), 7).tolist() == expected.tolist()


def test_an_earlier_order_decides_between_equal_keys() -> None:
    keys = np.array([1, 0, 1, 0], np.int32)
    assert counting_sort(keys, np.array([3, 2, 1, 0]), 2).tolist() == [3, 1, 2, 0]
