"""Rows in memory: what is read and written at an index, and what is left alone."""

from typing import no_type_check

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from jamba_reader.ops.machine.rows import (
    BFLOAT16,
    FLOAT32,
    INT8,
    bytes_of,
    lane_place,
    read,
    read_one,
    rounded_to,
    write,
    write_one,
)
from spider.kernels.lanes import WIDTH, lanes_on_stack, store, store_scalar

DTYPES = {FLOAT32: torch.float32, BFLOAT16: torch.bfloat16, INT8: torch.int8}


@njit
@no_type_check
def _copy(source, start, target, to, kind, target_kind, present):
    spare = lanes_on_stack()
    value = read(source, start, kind, present, spare)
    write(target, to, target_kind, present, spare, value)


@njit
@no_type_check
def _read(source, start, kind, present, target):
    store(target, read(source, start, kind, present, lanes_on_stack()))


@njit
@no_type_check
def _one_by_one(source, kind, target, target_kind, count, sizes):
    for index in range(count):
        value = read_one(source, index, kind)
        write_one(target, index, target_kind, value)
        store_scalar(sizes + 4 * index, rounded_to(target_kind, value))
    return bytes_of(kind), lane_place(1000, 3)


@given(
    present=st.integers(0, 16),
    start=st.integers(0, 20),
    to=st.integers(0, 20),
    kind=st.sampled_from([FLOAT32, BFLOAT16]),
    target_kind=st.sampled_from([FLOAT32, BFLOAT16]),
)
def test_present_numbers_arrive_and_no_others(
    present: int, start: int, to: int, kind: int, target_kind: int
) -> None:
    source = torch.randn(40, generator=torch.Generator().manual_seed(start)).to(DTYPES[kind])
    target = torch.full((40,), 7.0, dtype=DTYPES[target_kind])
    expected = target.clone()
    expected[to : to + present] = source[start : start + present].to(target.dtype)
    _copy(source.data_ptr(), start, target.data_ptr(), to, kind, target_kind, present)
    assert torch.equal(target, expected)


@pytest.mark.parametrize("kind", [FLOAT32, BFLOAT16])
@pytest.mark.parametrize("present", [0, 1, 9, 15, 16])
def test_lanes_that_are_not_present_are_zero(kind: int, present: int) -> None:
    source = torch.arange(1, 41).to(DTYPES[kind])
    target = np.full(WIDTH, 9, np.float32)
    _read(source.data_ptr(), 3, kind, present, target.ctypes.data)
    assert target.tolist() == [*source[3 : 3 + present].tolist(), *[0.0] * (WIDTH - present)]


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("target_kind", [FLOAT32, BFLOAT16])
def test_single_numbers_of_every_kind(kind: int, target_kind: int) -> None:
    source = torch.linspace(-120, 120, 33).to(DTYPES[kind])
    target = torch.empty(33, dtype=DTYPES[target_kind])
    rounded = np.empty(33, np.float32)
    size, place = _one_by_one(
        source.data_ptr(), kind, target.data_ptr(), target_kind, 33, rounded.ctypes.data
    )
    assert torch.equal(target, source.to(target.dtype))
    assert torch.equal(torch.from_numpy(rounded), target.float())
    assert size == source.itemsize
    assert place == 1000 + 3 * 64
