"""The backward scan of one block and sixteen channels in numba; ``cpu.backward`` explains it."""

# ruff: noqa: N806

from typing import no_type_check

import numpy as np

from jamba_reader.ops.machine.rows import lane_place, read, write
from jamba_reader.ops.selective_scan.cpu.layout import BLOCK, operands_of, padded_states, rows_at
from spider.compilation import njit
from spider.kernels.lane_math import exp2, sigmoid, softplus
from spider.kernels.lanes import (
    LANES_BYTES,
    broadcast,
    fma,
    load,
    load_scalar,
    store,
)

_LN2 = np.float32(np.log(2.0))
_ONE = np.float32(1)
_ZERO = np.float32(0)
# rows of lanes of one block, by what they hold; the last two kinds for two states each
_DELTA, _WRITTEN, _INPUT, _SLOPE, _UPSTREAM, _GATE_SLOPE, _OUTPUT = range(7)
_TO_WRITTEN, _TO_EXPONENT, _STATES, _DECAYS, WORK_ROWS = 7, 8, 9, 11, 13


@njit
@no_type_check
def _row(work, kind, token):
    return work + (kind * BLOCK + token) * LANES_BYTES


@njit
@no_type_check
def prepare(operands, channel, present, first, count, work, spare):
    """Everything of a block that does not depend on the states."""
    x, dt, _, _, D, dt_bias, gate, dy, _, _, _ = operands
    skip = read(D.address, channel, D.kind, present, spare)
    bias = read(dt_bias.address, channel, dt_bias.kind, present, spare)
    for token in range(count):
        row = first + token
        inputs = read(x.address, row * x.stride + channel, x.kind, present, spare)
        raw = read(dt.address, row * dt.stride + channel, dt.kind, present, spare) + bias
        delta = softplus(raw)
        upstream = read(dy.address, row * dy.stride + channel, dy.kind, present, spare)
        if gate.address != 0:
            place = row * gate.stride + channel
            opened = read(gate.address, place, gate.kind, present, spare)
            share = sigmoid(opened)
            one = broadcast(_ONE)
            slope = share * fma(opened, one - share, one)
            store(_row(work, _GATE_SLOPE, token), upstream * slope)
            upstream = upstream * (opened * share)
        store(_row(work, _DELTA, token), delta)
        store(_row(work, _WRITTEN, token), delta * inputs)
        store(_row(work, _INPUT, token), inputs)
        store(_row(work, _SLOPE, token), sigmoid(raw))
        store(_row(work, _UPSTREAM, token), upstream)
        store(_row(work, _OUTPUT, token), skip * inputs)
        store(_row(work, _TO_WRITTEN, token), broadcast(_ZERO))
        store(_row(work, _TO_EXPONENT, token), broadcast(_ZERO))


@njit
@no_type_check
def _recompute(rates, kept, n, width, work, b_rows, c_rows, count):
    """Run two states forward through a block, keeping each state and decay."""
    a0, a1 = load(lane_place(rates, n)), load(lane_place(rates, n + 1))
    h0, h1 = load(lane_place(kept, n)), load(lane_place(kept, n + 1))
    for token in range(count):
        delta, written = load(_row(work, _DELTA, token)), load(_row(work, _WRITTEN, token))
        b, c = b_rows + 4 * (token * width + n), c_rows + 4 * (token * width + n)
        d0, d1 = exp2(delta * a0), exp2(delta * a1)
        store(_row(work, _STATES, token), h0)
        store(_row(work, _STATES + 1, token), h1)
        store(_row(work, _DECAYS, token), d0)
        store(_row(work, _DECAYS + 1, token), d1)
        h0 = fma(d0, h0, written * broadcast(load_scalar(b)))
        h1 = fma(d1, h1, written * broadcast(load_scalar(b + 4)))
        y = fma(h0, broadcast(load_scalar(c)), load(_row(work, _OUTPUT, token)))
        y = fma(h1, broadcast(load_scalar(c + 4)), y)
        store(_row(work, _OUTPUT, token), y)
    return h0, h1


@njit
@no_type_check
def _reverse(rates, n, state, which, sums, width, work, b_rows, c_rows, carry, rate_sum, count):
    """Run one state's gradient backward through a block whose last state is ``state``."""
    rate = load(lane_place(rates, n))
    b_sums, c_sums = sums
    for step in range(count):
        token = count - 1 - step
        delta, written = load(_row(work, _DELTA, token)), load(_row(work, _WRITTEN, token))
        upstream = load(_row(work, _UPSTREAM, token))
        b = broadcast(load_scalar(b_rows + 4 * (token * width + n)))
        c = broadcast(load_scalar(c_rows + 4 * (token * width + n)))
        reached = fma(upstream, c, carry)
        b_place, c_place = (
            lane_place(b_sums, n * BLOCK + token),
            lane_place(c_sums, n * BLOCK + token),
        )
        store(c_place, fma(upstream, state, load(c_place)))
        store(b_place, fma(reached, written, load(b_place)))
        state = load(_row(work, _STATES + which, token))
        carry = reached * load(_row(work, _DECAYS + which, token))
        exponent = carry * state
        rate_sum = fma(exponent, delta, rate_sum)
        place = _row(work, _TO_WRITTEN, token)
        store(place, fma(reached, b, load(place)))
        place = _row(work, _TO_EXPONENT, token)
        store(place, fma(exponent, rate, load(place)))
    return carry, rate_sum


@njit
@no_type_check
def finish(table, channel, present, first, count, work, sums, spare):
    """Write a block's gradients of x, dt and gate; add to those of D and dt_bias."""
    operands = operands_of(table)
    dx, ddt, dgate = rows_at(table, 8), rows_at(table, 9), rows_at(table, 10)
    skip = read(operands.D.address, channel, operands.D.kind, present, spare)
    skip_sum, bias_sum = load(sums), load(sums + LANES_BYTES)
    for token in range(count):
        row = first + token
        delta, inputs = load(_row(work, _DELTA, token)), load(_row(work, _INPUT, token))
        upstream = load(_row(work, _UPSTREAM, token))
        to_written = load(_row(work, _TO_WRITTEN, token))
        to_exponent = load(_row(work, _TO_EXPONENT, token))
        # the rates were multiplied by log2(e)
        to_delta = fma(to_exponent, broadcast(_LN2), inputs * to_written)
        to_dt = to_delta * load(_row(work, _SLOPE, token))
        skip_sum = fma(upstream, inputs, skip_sum)
        bias_sum = bias_sum + to_dt
        value = fma(delta, to_written, skip * upstream)
        write(dx.address, row * dx.stride + channel, dx.kind, present, spare, value)
        write(ddt.address, row * ddt.stride + channel, ddt.kind, present, spare, to_dt)
        if dgate.address != 0:
            value = load(_row(work, _GATE_SLOPE, token)) * load(_row(work, _OUTPUT, token))
            write(dgate.address, row * dgate.stride + channel, dgate.kind, present, spare, value)
    store(sums, skip_sum)
    store(sums + LANES_BYTES, bias_sum)


@njit
@no_type_check
def reverse_tile(rates, kept, carries, rate_sums, places, states, count):
    """Pass all states of a tile backward over a block."""
    width = padded_states(states)
    work, b_rows, c_rows, b_sums, c_sums = places
    for n in range(0, width, 2):
        last = _recompute(rates, kept, n, width, work, b_rows, c_rows, count)
        for which in range(2):
            carry_place = lane_place(carries, n + which)
            sum_place = lane_place(rate_sums, n + which)
            carry, rate_sum = _reverse(
                rates,
                n + which,
                last[which],
                which,
                (b_sums, c_sums),
                width,
                work,
                b_rows,
                c_rows,
                load(carry_place),
                load(sum_place),
                count,
            )
            store(carry_place, carry)
            store(sum_place, rate_sum)
