"""Sixteen lanes: each operation against NumPy, on numbers in memory."""

from typing import no_type_check

import numpy as np
import pytest
import torch
from numba import njit

from spider.kernels.lanes import (
    LANES_BYTES,
    WIDTH,
    broadcast,
    broadcast_lane,
    copy_bytes,
    fma,
    lanes_on_stack,
    load,
    load_bfloat16,
    load_scalar,
    load_scalar_bfloat16,
    load_scalar_int8,
    maximum,
    negative_magnitude,
    store,
    store_bfloat16,
    store_scalar,
    store_scalar_bfloat16,
    sum_of_lanes,
    times_power_of_two,
    where_negative,
    with_lane,
)


@njit
@no_type_check
def _every_operation(a, b, c, lane, out, scalars):
    x, y, z = load(a), load(b), load(c)
    store(out, x + y)
    store(out + 64, x - y)
    store(out + 128, x * y)
    store(out + 192, x / y)
    store(out + 256, fma(x, y, z))
    store(out + 320, maximum(x, y))
    store(out + 384, where_negative(x, y, z))
    store(out + 448, negative_magnitude(x))
    store(out + 512, broadcast_lane(x, lane))
    store(out + 576, with_lane(x, lane, np.float32(77)))
    store(out + 640, broadcast(np.float32(2.5)))
    place = lanes_on_stack()
    store(place, z)
    store(out + 704, load(place))
    store_scalar(scalars, sum_of_lanes(x))
    store_scalar(scalars + 4, load_scalar(a + 4 * lane))


@pytest.fixture(scope="module")
def operations() -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Three operands, the results of twelve operations on them, and two single results."""
    random = np.random.default_rng(0)
    x, y, z = (random.normal(size=WIDTH).astype(np.float32) for _ in range(3))
    results, scalars = np.empty((12, WIDTH), np.float32), np.empty(2, np.float32)
    addresses = [array.ctypes.data for array in (x, y, z)]
    _every_operation(*addresses, 5, results.ctypes.data, scalars.ctypes.data)
    return [x, y, z], results, scalars


def test_each_lane_by_itself(operations: tuple[list[np.ndarray], np.ndarray, np.ndarray]) -> None:
    (x, y, z), results, _ = operations
    expected = [
        *(x + y, x - y, x * y, x / y),
        (x.astype(np.float64) * y + z).astype(np.float32),
        *(np.maximum(x, y), np.where(x < 0, y, z), -abs(x)),
        np.full(WIDTH, x[5]),
        np.where(np.arange(WIDTH) == 5, np.float32(77), x),
        *(np.full(WIDTH, 2.5), z),
    ]
    for number, (found, wanted) in enumerate(zip(results, expected, strict=True)):
        if number == 4:
            # some processors round the product before they add
            np.testing.assert_allclose(found, wanted, rtol=1e-5)
        else:
            np.testing.assert_array_equal(found, wanted)


def test_the_sum_of_lanes_adds_halves_onto_each_other(
    operations: tuple[list[np.ndarray], np.ndarray, np.ndarray],
) -> None:
    (x, _, _), _, scalars = operations
    halves = x
    while len(halves) > 1:
        halves = halves[: len(halves) // 2] + halves[len(halves) // 2 :]
    assert scalars[0] == halves[0]
    assert scalars[1] == x[5]


def test_sizes() -> None:
    assert LANES_BYTES == 4 * WIDTH == 64


@njit
@no_type_check
def _edges(numbers, others, powers, out):
    store(out, maximum(load(numbers), load(others)))
    store(out + 64, where_negative(load(numbers), load(others), load(others) + load(others)))
    # the integer in the low bits of 1.5 * 2**23 + n is n
    shifted = load(powers) + broadcast(np.float32(1.5 * 2**23))
    store(out + 128, times_power_of_two(broadcast(np.float32(1.25)), shifted))


def test_nan_and_powers_of_two() -> None:
    numbers = np.array([np.nan, 1, -0.0, -1] * 4, np.float32)
    others = np.array([3, np.nan, 5, 7] * 4, np.float32)
    powers = np.array([-126, -1, 0, 1, 5, 100, 126, 127] * 2, np.float32)
    out = np.empty((3, WIDTH), np.float32)
    _edges(*(array.ctypes.data for array in (numbers, others, powers, out)))
    # maximum returns its second operand where the two cannot be compared
    np.testing.assert_array_equal(out[0, :4], [3, np.nan, 5, 7])
    # neither NaN nor -0 is below zero
    np.testing.assert_array_equal(out[1, :4], [6, np.nan, 10, 7])
    np.testing.assert_array_equal(out[2], 1.25 * np.exp2(powers.astype(np.float64)))


@njit
@no_type_check
def _narrow(floats, count, wide, narrow):
    for first in range(0, count, WIDTH):
        store_bfloat16(wide + 2 * first, load(floats + 4 * first))
        for i in range(first, first + WIDTH):
            store_scalar_bfloat16(narrow + 2 * i, load_scalar(floats + 4 * i))


def test_narrowing_rounds_to_nearest_even_and_keeps_nan() -> None:
    floats = torch.randn(1008, generator=torch.Generator().manual_seed(1)) * 2.0**20
    # halves between two bfloat16, the largest numbers, and NaN of every kind of bits
    patterns = [0x3F808000, 0x3F818000, 0x7F7FFFFF, 0x7F800000, 0x7FFFFFFF, 0x7FC00000, 0x7F800001]
    bits = torch.tensor([*patterns, *(pattern - 2**31 for pattern in patterns), 0, 1])
    floats = torch.cat([floats, bits.to(torch.int32).view(torch.float32)])
    wide, narrow = (torch.empty(len(floats), dtype=torch.bfloat16) for _ in range(2))
    _narrow(floats.data_ptr(), len(floats), wide.data_ptr(), narrow.data_ptr())
    for found in (wide, narrow):
        assert torch.equal(found.isnan(), floats.isnan())
        assert torch.equal(found.nan_to_num(7), floats.bfloat16().nan_to_num(7))


@njit
@no_type_check
def _widen(halves, integers, count, wide, one_by_one, from_integers):
    for first in range(0, count, WIDTH):
        store(wide + 4 * first, load_bfloat16(halves + 2 * first))
    for i in range(count):
        store_scalar(one_by_one + 4 * i, load_scalar_bfloat16(halves + 2 * i))
    for i in range(256):
        store_scalar(from_integers + 4 * i, load_scalar_int8(integers + i))


def test_every_bfloat16_and_every_int8_is_widened_exactly() -> None:
    halves = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(torch.bfloat16)
    integers = torch.arange(-128, 128, dtype=torch.int8)
    wide, single = torch.empty(2, 2**16)
    found = torch.empty(256)
    addresses = (tensor.data_ptr() for tensor in (wide, single, found))
    _widen(halves.data_ptr(), integers.data_ptr(), 2**16, *addresses)
    for floats in (wide, single):
        assert torch.equal(floats.nan_to_num(7), halves.float().nan_to_num(7))
    assert torch.equal(found, integers.float())


@njit
@no_type_check
def _copy(destination, source, count):
    copy_bytes(destination, source, count)


@pytest.mark.parametrize("count", [0, 1, 7, 64])
def test_as_many_bytes_as_asked_are_copied(count: int) -> None:
    source, destination = np.arange(64, dtype=np.uint8), np.full(80, 255, np.uint8)
    _copy(destination.ctypes.data + 8, source.ctypes.data, count)
    assert destination[8 : 8 + count].tolist() == source[:count].tolist()
    assert (destination[:8] == 255).all()
    assert (destination[8 + count :] == 255).all()
