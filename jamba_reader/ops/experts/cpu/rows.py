"""Loops over the rows that go to one expert: routing, gate, and what returns to the tokens.

Matrices are float32 or bfloat16 (held as int16, see
``jamba_reader.ops.machine.memory``). A scale of length 0 means that there is none, which is
the case for float weights.
"""

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.activation import SILU
from jamba_reader.ops.machine.memory import load, store
from jamba_reader.ops.machine.rows import BFLOAT16, FLOAT32, read, write
from jamba_reader.ops.machine.scalar_math import gelu, gelu_gradient, silu, silu_gradient
from spider.compilation import njit
from spider.kernels.lanes import WIDTH, broadcast, lanes_on_stack

COLUMNS = 256
"""Columns that one thread adds up: one thread per column, so the order of a sum never varies."""


@njit(nogil=True)
@no_type_check
def sort_by_expert(expert_ids, experts):
    """Sort the (token, choice) pairs by expert, keeping their order within one.

    Returns:
        The pair at each sorted place, and ``experts + 1`` offsets into them; the last offset is -1
        if an id is not in ``range(experts)``.
    """
    flat = expert_ids.reshape(-1)
    offsets = np.zeros(experts + 1, np.int64)
    order = np.empty(flat.size, np.int64)
    for expert in flat:
        if expert < 0 or expert >= experts:
            offsets[experts] = -1
            return order, offsets
        offsets[expert + 1] += 1
    for expert in range(experts):
        offsets[expert + 1] += offsets[expert]
    place = offsets[:-1].copy()
    for pair in range(flat.size):
        order[place[flat[pair]]] = pair
        place[flat[pair]] += 1
    return order, offsets


@njit(parallel=True, nogil=True, error_model="numpy")
@no_type_check
def gate_rows(gate_up, scale, activation, inner):
    """``inner = act(gate) * up``, each multiplied by its scale first."""
    width = inner.shape[1]
    for row in prange(inner.shape[0]):
        for i in range(width):
            gate, up = load(gate_up, row, i), load(gate_up, row, width + i)
            if scale.size:
                gate, up = gate * scale[i], up * scale[width + i]
            active = silu(gate) if activation == SILU else gelu(gate)
            store(inner, row, i, active * up)


# A loop that writes is compiled twice, and how near its operands lie in memory decides which of the
# two runs; if it summed in lanes as well, equal inputs would give sums that differ in the last bit.
@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz"})
@no_type_check
def _sum(values):
    """Add up a row in lanes; writes nothing."""
    total = np.float32(0)
    for i in range(len(values)):
        total += values[i]
    return total


@njit(parallel=True, nogil=True, error_model="numpy")
@no_type_check
def gate_rows_backward(gate_up, scale, activation, upstream, shares, inner, d_gate_up, d_shares):
    """Gradients of ``share * <upstream, act(gate) * up>`` for each row.

    Args:
        gate_up: products with the expert's weights, before the scale.
        scale: the scale of these products.
        activation: the activation of the gate.
        upstream: the output's gradient times the down projection.
        shares: routing weight of each row.
        inner: gets ``share * act(gate) * up``, what the down projection's gradient needs.
        d_gate_up: gets the gradient of ``gate_up``.
        d_shares: gets the gradient of the shares.
    """
    width = inner.shape[1]
    for row in prange(inner.shape[0]):
        share = shares[row]
        products = np.empty(width, np.float32)
        for i in range(width):
            gate, up = load(gate_up, row, i), load(gate_up, row, width + i)
            of_gate = of_up = np.float32(1)
            if scale.size:
                of_gate, of_up = scale[i], scale[width + i]
            gate, up = gate * of_gate, up * of_up
            active = silu(gate) if activation == SILU else gelu(gate)
            slope = silu_gradient(gate) if activation == SILU else gelu_gradient(gate)
            above = load(upstream, row, i)
            products[i] = active * up * above
            above *= share
            store(inner, row, i, active * up * share)
            store(d_gate_up, row, i, above * up * slope * of_gate)
            store(d_gate_up, row, width + i, above * active * of_up)
        d_shares[row] = _sum(products)


@njit(nogil=True, error_model="numpy")
@no_type_check
def _add_lanes(source, kind, share, scale, target, present, spare):
    """Add up to sixteen numbers, times a share and maybe their scales, to a float32 sum."""
    value = read(source, 0, kind, present, spare) * broadcast(share)
    if scale != 0:
        value = value * read(scale, 0, FLOAT32, present, spare)
    total = read(target, 0, FLOAT32, present, spare) + value
    write(target, 0, FLOAT32, present, spare, total)


@njit(nogil=True, error_model="numpy")
@no_type_check
def _add_columns(rows, tokens, shares, scale, total, first, last):
    """Do ``add_rows`` for some columns; in lanes, because here what is written is also read."""
    kind, size = (FLOAT32, 4) if rows.itemsize == 4 else (BFLOAT16, 2)
    spare = lanes_on_stack()
    for row in range(rows.shape[0]):
        share = shares[row] if shares.size else np.float32(1)
        source = rows.ctypes.data + size * (row * rows.shape[1])
        target = total.ctypes.data + 4 * (tokens[row] * total.shape[1])
        scales = scale.ctypes.data if scale.size else 0
        for i in range(first, last, WIDTH):
            place = scales + 4 * i if scales != 0 else 0
            present = last - i
            _add_lanes(source + size * i, kind, share, place, target + 4 * i, present, spare)


@njit(parallel=True, nogil=True, error_model="numpy")
@no_type_check
def add_rows(rows, tokens, shares, scale, total):
    """``total[tokens[i]] += shares[i] * scale * rows[i]``, one row after the other.

    Shares of length 0 are ones. Both matrices are contiguous.
    """
    width = rows.shape[1]
    for block in prange((width + COLUMNS - 1) // COLUMNS):
        last = min(width, (block + 1) * COLUMNS)
        _add_columns(rows, tokens, shares, scale, total, block * COLUMNS, last)
