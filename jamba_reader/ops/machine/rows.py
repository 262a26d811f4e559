"""Rows and matrices in memory, by address, whose kind of numbers is known at run time."""

from typing import NamedTuple, no_type_check

import numpy as np

from jamba_reader.ops.machine.memory import AS_BFLOAT16, rounded
from spider.compilation import njit
from spider.kernels.lanes import (
    LANES_BYTES,
    WIDTH,
    broadcast,
    copy_bytes,
    load,
    load_bfloat16,
    load_scalar,
    load_scalar_bfloat16,
    load_scalar_int8,
    store,
    store_bfloat16,
    store_scalar,
    store_scalar_bfloat16,
)

FLOAT32, BFLOAT16, INT8 = 0, 1, 2
"""Kinds: how numbers are held in memory, known when a kernel runs."""


class Rows(NamedTuple):
    """A matrix whose rows are contiguous, or a vector; ``address`` 0 stands for None.

    Attributes:
        address: the address of its first number.
        stride: numbers from row to row.
        kind: the kind of its numbers.
    """

    address: int
    stride: int
    kind: int


@njit
@no_type_check
def bytes_of(kind):
    """Bytes of one number."""
    return 4 >> kind


@njit
@no_type_check
def read_one(address, index, kind):
    """The number at ``index``, as float32."""
    if kind == BFLOAT16:
        return load_scalar_bfloat16(address + 2 * index)
    if kind == INT8:
        return load_scalar_int8(address + index)
    return load_scalar(address + 4 * index)


@njit
@no_type_check
def write_one(address, index, kind, value):
    """Write the float at ``index``, rounded to what is held there."""
    if kind == BFLOAT16:
        store_scalar_bfloat16(address + 2 * index, value)
    else:
        store_scalar(address + 4 * index, value)


@njit
@no_type_check
def rounded_to(kind, value):
    """A float32 rounded to what memory of this kind holds, as a float32."""
    return rounded(AS_BFLOAT16, value) if kind == BFLOAT16 else value


@njit
@no_type_check
def read(address, index, kind, present, spare):
    """Sixteen floats from ``index`` on; those beyond the first ``present`` are zero.

    ``spare`` is the address of 64 free bytes: memory behind the present numbers must not be read.
    """
    size = 2 if kind == BFLOAT16 else 4
    place = address + size * index
    if present < WIDTH:
        store(spare, broadcast(np.float32(0)))
        copy_bytes(spare, place, size * present)
        place = spare
    if kind == BFLOAT16:
        return load_bfloat16(place)
    return load(place)


@njit
@no_type_check
def write(address, index, kind, present, spare, value):
    """Write the first ``present`` lanes from ``index`` on."""
    size = 2 if kind == BFLOAT16 else 4
    place = address + size * index
    target = place if present >= WIDTH else spare
    if kind == BFLOAT16:
        store_bfloat16(target, value)
    else:
        store(target, value)
    if present < WIDTH:
        copy_bytes(place, spare, size * present)


@njit
@no_type_check
def lane_place(address, row):
    """Address of a row of lanes."""
    return address + LANES_BYTES * row


class Matrix(NamedTuple):
    """A contiguous matrix.

    Attributes:
        address: the address of its first number.
        rows: how many.
        columns: how many.
        kind: how its numbers are held.
        scale: address of a float32 for each row that products are multiplied by; 0 for none.
    """

    address: int
    rows: int
    columns: int
    kind: int
    scale: int
