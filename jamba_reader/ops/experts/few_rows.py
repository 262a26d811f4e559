"""Products of a few rows with a matrix, as while generating: it is read once, at full speed.

A product with one row does two operations per weight, so what counts is how fast weights come from
memory. Here each weight meets up to four rows while it is in a register; two weight rows go side by
side. Sums are in float32, whatever the weights are: float32, bfloat16 (held as int16) or int8.
"""

from typing import no_type_check

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic

from jamba_reader.ops.activation import SILU
from jamba_reader.ops.numba_math import gelu, silu

_SUMS = {"contract", "reassoc", "nsz"}


@intrinsic
@no_type_check
def _widen(typing_context, value):
    """A weight as float32."""

    def generate(context, builder, signature, operands):
        (kind,), (value,) = signature.args, operands
        if kind == types.float32:
            return value
        if kind == types.int8:
            return builder.sitofp(value, ir.FloatType())
        wide = builder.zext(value, ir.IntType(32))
        return builder.bitcast(builder.shl(wide, ir.IntType(32)(16)), ir.FloatType())

    return types.float32(value), generate


@njit(cache=True, error_model="numpy", fastmath=_SUMS)
@no_type_check
def _dot_1(v, w, a):
    av = aw = np.float32(0)
    for i in range(len(v)):
        vi, wi, ai = _widen(v[i]), _widen(w[i]), a[i]
        av += vi * ai
        aw += wi * ai
    return av, aw


@njit(cache=True, error_model="numpy", fastmath=_SUMS)
@no_type_check
def _dot_2(v, w, a, b):
    av = aw = bv = bw = np.float32(0)
    for i in range(len(v)):
        vi, wi, ai, bi = _widen(v[i]), _widen(w[i]), a[i], b[i]
        av += vi * ai
        aw += wi * ai
        bv += vi * bi
        bw += wi * bi
    return av, aw, bv, bw


@njit(cache=True, error_model="numpy", fastmath=_SUMS)
@no_type_check
def _dot_4(v, w, a, b, c, d):
    av = aw = bv = bw = cv = cw = dv = dw = np.float32(0)
    for i in range(len(v)):
        vi, wi, ai, bi, ci, di = _widen(v[i]), _widen(w[i]), a[i], b[i], c[i], d[i]
        av += vi * ai
        aw += wi * ai
        bv += vi * bi
        bw += wi * bi
        cv += vi * ci
        cw += wi * ci
        dv += vi * di
        dw += wi * di
    return av, aw, bv, bw, cv, cw, dv, dw


@njit(cache=True, error_model="numpy", fastmath=_SUMS)
@no_type_check
def _dots(matrix, low, high, x, rows, first, last, out):
    """``out[i, n] = <matrix[n], x[rows[i]]>`` for n low and high and i from first to last."""
    v, w = matrix[low], matrix[high]
    i = first
    while i + 4 <= last:
        a, b, c, d = x[rows[i]], x[rows[i + 1]], x[rows[i + 2]], x[rows[i + 3]]
        sums = _dot_4(v, w, a, b, c, d)
        for j in range(4):
            out[i + j, low], out[i + j, high] = sums[2 * j], sums[2 * j + 1]
        i += 4
    if i + 2 <= last:
        sums = _dot_2(v, w, x[rows[i]], x[rows[i + 1]])
        for j in range(2):
            out[i + j, low], out[i + j, high] = sums[2 * j], sums[2 * j + 1]
        i += 2
    if i < last:
        out[i, low], out[i, high] = _dot_1(v, w, x[rows[i]])


@njit(cache=True, parallel=True, nogil=True, error_model="numpy", fastmath=_SUMS)
@no_type_check
def linear_few_rows(x, weight, scale, out):
    """``out = (x @ weight.T) * scale``; a scale of length 0 means none."""
    outputs = weight.shape[0]
    count = x.shape[0]
    rows = np.arange(count)
    for task in prange((outputs + 1) // 2):
        # of an odd number of outputs the last is computed twice
        low = 2 * task
        high = min(low + 1, outputs - 1)
        _dots(weight, low, high, x, rows, 0, count, out)
        if scale.size:
            for row in range(count):
                out[row, low] *= scale[low]
                if high > low:
                    out[row, high] *= scale[high]


@njit(cache=True, parallel=True, nogil=True, error_model="numpy", fastmath=_SUMS)
@no_type_check
def experts_few_rows(
    x, gate_up, gate_up_scale, down, down_scale, tokens, shares, offsets, limit, activation, total
):
    """Add to ``total`` what the experts with at most ``limit`` rows return.

    Args:
        x: float32, a row per token.
        gate_up: of all experts, gate rows first.
        gate_up_scale: of its rows; without experts means none.
        down: of all experts.
        down_scale: of its rows; without experts means none.
        tokens: row of x of each pair, pairs sorted by expert.
        shares: routing weight of each pair.
        offsets: first pair of each expert, and their number.
        limit: rows up to which this is the fastest way.
        activation: of the gate.
        total: float32, a row per token.
    """
    counts = offsets[1:] - offsets[:-1]
    chosen = np.nonzero((counts > 0) & (counts <= limit))[0]
    width = down.shape[2]
    hidden = down.shape[1]
    pairs = np.arange(len(tokens))
    both = np.empty((len(tokens), 2 * width), np.float32)
    inner = np.empty((len(tokens), width), np.float32)
    for task in prange(len(chosen) * width):
        expert = chosen[task // width]
        n = task % width
        first, last = offsets[expert], offsets[expert + 1]
        _dots(gate_up[expert], n, width + n, x, tokens, first, last, both)
        for pair in range(first, last):
            gate, up = both[pair, n], both[pair, width + n]
            if gate_up_scale.size:
                gate *= gate_up_scale[expert, n]
                up *= gate_up_scale[expert, width + n]
            inner[pair, n] = (silu(gate) if activation == SILU else gelu(gate)) * up
    returned = np.empty((len(tokens), hidden), np.float32)
    for task in prange((hidden + 1) // 2):
        low = 2 * task
        high = min(low + 1, hidden - 1)
        for expert in chosen:
            first, last = offsets[expert], offsets[expert + 1]
            _dots(down[expert], low, high, inner, pairs, first, last, returned)
            for n in range(low, high + 1):
                scale = down_scale[expert, n] if down_scale.size else np.float32(1)
                for pair in range(first, last):
                    total[tokens[pair], n] += returned[pair, n] * scale * shares[pair]
