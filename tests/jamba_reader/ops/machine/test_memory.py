"""Single numbers in memory, by address and by element; matrices are tested with their maths."""

from typing import no_type_check

import numpy as np
import pytest
import torch
from numba import njit

from jamba_reader.ops.machine.memory import (
    AS_BFLOAT16,
    AS_FLOAT32,
    integer_at,
    load,
    load_at,
    raw_at,
    rounded,
    store,
    store_at,
)

ELEMENTS = {torch.float32: AS_FLOAT32, torch.bfloat16: AS_BFLOAT16}


@njit
@no_type_check
def _copy(element, source, target_element, target, count, roundings):
    for index in range(count):
        value = load_at(element, source, index)
        store_at(target_element, target, index, value)
        roundings[index] = rounded(target_element, value)


@pytest.mark.parametrize("dtype", ELEMENTS)
@pytest.mark.parametrize("target_dtype", ELEMENTS)
def test_numbers_are_widened_and_rounded_as_torch_does(
    dtype: torch.dtype, target_dtype: torch.dtype
) -> None:
    source = torch.randn(200, generator=torch.Generator().manual_seed(0)) * 1000
    source[:4] = torch.tensor([1.00390625, 1.01171875, torch.inf, torch.nan])
    source = source.to(dtype)
    target, roundings = torch.empty(200, dtype=target_dtype), np.empty(200, np.float32)
    elements = ELEMENTS[dtype], ELEMENTS[target_dtype]
    _copy(elements[0], source.data_ptr(), elements[1], target.data_ptr(), 200, roundings)
    expected = source.to(target_dtype)
    assert torch.equal(target.nan_to_num(7), expected.nan_to_num(7))
    assert torch.equal(torch.from_numpy(roundings).nan_to_num(7), expected.float().nan_to_num(7))
    assert target[3].isnan()


@njit
@no_type_check
def _read_raw(floats, halves, integers, index):
    return (
        raw_at(AS_FLOAT32, floats, index),
        raw_at(AS_BFLOAT16, halves, index),
        integer_at(integers, index),
    )


def test_raw_numbers_are_the_bits_that_lie_there() -> None:
    floats, integers = torch.randn(5), torch.tensor([1, -(2**62), 3, 4, 5])
    halves = floats.bfloat16()
    for index in range(5):
        found = _read_raw(floats.data_ptr(), halves.data_ptr(), integers.data_ptr(), index)
        assert found[0] == floats[index].item()
        assert found[1] == halves.view(torch.int16)[index].item()
        assert found[2] == integers[index].item()


@njit
@no_type_check
def _transpose(source, target):
    for row in range(source.shape[0]):
        for column in range(source.shape[1]):
            store(target, column, row, load(source, row, column) * np.float32(2))


def test_matrices_are_indexed_by_row_and_column() -> None:
    wide = np.arange(60, dtype=np.float32).reshape(5, 12)
    target = np.zeros((9, 8), np.float32)
    _transpose(wide[1:4, 2:11], target[:, 3:6])
    np.testing.assert_array_equal(target[:, 3:6], 2 * wide[1:4, 2:11].T)
    assert not target[:, :3].any()
    assert not target[:, 6:].any()
