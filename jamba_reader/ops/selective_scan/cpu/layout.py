"""How the numba scan sees its operands, and the memory each thread works in.

Channels stand in lanes, sixteen to a *tile*. A unit of work is one sequence and ``GROUP`` channels;
time goes by in blocks of ``BLOCK`` tokens, so that a block's rows stay in the first-level cache
while all states pass over them. States are ``[tile, states, 16]`` meanwhile, states padded to a
multiple of four with ones that stay zero.
"""

# ruff: noqa: N803
# A, B, C and D are the names of these matrices in the literature

from collections.abc import Sequence
from typing import Any, NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from jamba_reader.ops.machine.operands import KINDS
from jamba_reader.ops.machine.rows import FLOAT32, INT8, Rows, lane_place, read_one
from spider.compilation import njit
from spider.errors import DataError
from spider.kernels.lanes import (
    WIDTH,
    broadcast,
    load_scalar,
    store,
    store_scalar,
)

IntegerArray = np.ndarray[Any, np.dtype[np.int64]]

BLOCK = 64
GROUP = 64
TILES = GROUP // WIDTH


class ScanOperands(NamedTuple):
    """What a scan reads token by token, where it writes, and its sizes."""

    x: Rows
    dt: Rows
    B: Rows
    C: Rows
    D: Rows
    dt_bias: Rows
    gate: Rows
    y: Rows
    A: int
    channels: int
    states: int


def operand_table(
    A: Float32[Tensor, "channels states"],
    matrices: Sequence[Tensor | None],
) -> IntegerArray:
    """Describe A and then x, dt, B, C, D, dt_bias, gate, y, and more if wanted, for numba.

    A nested tuple can be passed to no parallel loop, an array of integers to any. The caller keeps
    the tensors alive.

    Raises:
        DataError: a tensor is not on the CPU, or of a dtype that numba cannot read.
    """
    entries: list[int] = [A.data_ptr(), *A.shape]
    for matrix in matrices:
        if matrix is None:
            entries += (0, 0, FLOAT32)
            continue
        kind = KINDS.get(matrix.dtype)
        if kind in (None, INT8) or not matrix.is_cpu:
            raise DataError(
                f"selective_scan: an operand is {matrix.dtype} on {matrix.device}, "
                "x is on a CPU: expected float32 or bfloat16 there"
            )
        entries += (matrix.data_ptr(), matrix.stride(0), kind)
    return np.array(entries, dtype=np.int64)


@njit
@no_type_check
def rows_at(table, index):
    """Read one matrix of a table made by ``operand_table``."""
    return Rows(table[3 * index + 3], table[3 * index + 4], table[3 * index + 5])


@njit
@no_type_check
def operands_of(table):
    """Read the first eight matrices of a table made by ``operand_table``."""
    return ScanOperands(
        rows_at(table, 0),
        rows_at(table, 1),
        rows_at(table, 2),
        rows_at(table, 3),
        rows_at(table, 4),
        rows_at(table, 5),
        rows_at(table, 6),
        rows_at(table, 7),
        table[0],
        table[1],
        table[2],
    )


@njit
@no_type_check
def padded_states(states):
    """States of a tile in working memory."""
    return (states + 3) // 4 * 4


@njit
@no_type_check
def tiles_of(channels):
    """The number of tiles that hold a number of channels."""
    return (channels + WIDTH - 1) // WIDTH


@njit
@no_type_check
def fill_zero(target, count):
    """Set ``count`` rows of lanes to zero."""
    for row in range(count):
        store(lane_place(target, row), broadcast(np.float32(0)))


@njit
@no_type_check
def gather_states(source, channels, states, target, factor):
    """Bring ``[channels, states]``, at most sixteen channels, into ``[padded states, 16]``."""
    for state in range(padded_states(states)):
        for lane in range(WIDTH):
            value = np.float32(0)
            if lane < channels and state < states:
                value = load_scalar(source + 4 * (lane * states + state)) * factor
            store_scalar(target + 4 * (state * WIDTH + lane), value)


@njit
@no_type_check
def scatter_states(source, channels, states, target):
    """Bring ``[padded states, 16]`` back into ``[channels, states]``."""
    for lane in range(channels):
        for state in range(states):
            value = load_scalar(source + 4 * (state * WIDTH + lane))
            store_scalar(target + 4 * (lane * states + state), value)


@njit
@no_type_check
def gather_rows(matrix, first, count, states, target):
    """Copy rows of B or C to float32 rows of ``padded states``."""
    width = padded_states(states)
    for row in range(count):
        source = (first + row) * matrix.stride
        for state in range(width):
            value = np.float32(0)
            if state < states:
                value = read_one(matrix.address, source + state, matrix.kind)
            store_scalar(target + 4 * (row * width + state), value)
