"""The selective scan backward in Triton; ``launch`` calls it and ``forward`` explains it."""

# ruff: noqa: N803

from typing import no_type_check

import triton
import triton.language as tl

from jamba_reader.ops.selective_scan.gpu.forward import (
    LOG2E,
    TABLE_WIDTH,
    load_row,
    sigmoid,
    softplus,
)


@triton.jit
@no_type_check
def reverse_ends_kernel(
    dt,
    A,
    C,
    dt_bias,
    gate,
    dy,
    dt_stride,
    c_stride,
    gate_stride,
    dy_stride,
    table,
    ends,
    sums,
    channels,
    states,
    GATED: tl.constexpr,
    BLOCK_D: tl.constexpr,
    BLOCK_N: tl.constexpr,
):
    """Gradient that a chunk's own outputs send to the state before it; sum of its step sizes."""
    chunk = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * BLOCK_D + tl.arange(0, BLOCK_D)
    state = tl.arange(0, BLOCK_N)
    present = channel < channels
    both = (state[:, None] < states) & present[None, :]
    first = tl.load(table + chunk * TABLE_WIDTH)
    count = tl.load(table + chunk * TABLE_WIDTH + 1)
    outer = channel[None, :].to(tl.int64) * states + state[:, None]
    inner = state[:, None].to(tl.int64) * channels + channel[None, :]
    size = channels * states
    rate = tl.load(A + outer, mask=both, other=0.0) * LOG2E
    bias = tl.load(dt_bias + channel, mask=present, other=0.0).to(tl.float32)
    g = tl.zeros((BLOCK_N, BLOCK_D), tl.float32)
    total = tl.zeros((BLOCK_D,), tl.float32)
    back = count * 0
    while back < count:
        row = first + count - 1 - back
        delta = softplus(load_row(dt, row, dt_stride, channel, present) + bias)
        upstream = load_row(dy, row, dy_stride, channel, present)
        if GATED:
            opened = load_row(gate, row, gate_stride, channel, present)
            upstream = upstream * opened * sigmoid(opened)
        c = load_row(C, row, c_stride, state[:, None], state[:, None] < states)
        g = tl.exp2(delta[None, :] * rate) * (g + upstream[None, :] * c)
        total += delta
        back += 1
    tl.store(ends + chunk * size + inner, g, mask=both)
    tl.store(sums + chunk * channels + channel, total, mask=present)


@triton.jit
@no_type_check
def _follow(decay, added, next_decay, next_added):
    """Two steps of ``h = decay h + added`` as one."""
    return decay * next_decay, next_decay * added + next_added


@triton.jit
@no_type_check
def _tile(pointer, rows, stride, columns, mask):
    return tl.load(pointer + rows[:, None] * stride + columns[None, :], mask=mask, other=0.0).to(
        tl.float32
    )


@triton.jit
@no_type_check
def reverse_kernel(
    x,
    dt,
    A,
    B,
    C,
    D,
    dt_bias,
    gate,
    dy,
    dx,
    ddt,
    dgate,
    x_stride,
    dt_stride,
    b_stride,
    c_stride,
    gate_stride,
    dy_stride,
    dx_stride,
    table,
    kept,
    carries,
    to_rates,
    to_skips,
    to_biases,
    to_b,
    to_c,
    tokens,
    channels,
    STATES: tl.constexpr,
    GATED: tl.constexpr,
    BLOCK_T: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """Take one chunk of a block of channels backward, tiles of ``[BLOCK_T, BLOCK_D]`` at a time.

    ``kept`` has the state before every tile; ``carries`` the gradient that reaches the chunk's last
    state, and from tile to tile the one that reaches the last before it. Within a tile both
    recurrences are associative scans over time, one state after another.
    """
    chunk = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * BLOCK_D + tl.arange(0, BLOCK_D)
    present = channel < channels
    first = tl.load(table + chunk * TABLE_WIDTH)
    end = first + tl.load(table + chunk * TABLE_WIDTH + 1)
    first_kept = tl.load(table + chunk * TABLE_WIDTH + 3)
    skip = tl.load(D + channel, mask=present, other=0.0).to(tl.float32)
    bias = tl.load(dt_bias + channel, mask=present, other=0.0).to(tl.float32)
    skip_sum = tl.zeros((BLOCK_D,), tl.float32)
    bias_sum = tl.zeros((BLOCK_D,), tl.float32)
    time = tl.arange(0, BLOCK_T)
    block_row = tl.program_id(1).to(tl.int64) * tokens
    tiles = (end - first + BLOCK_T - 1) // BLOCK_T
    back = tiles * 0
    while back < tiles:
        tile = tiles - 1 - back
        rows = first + tile * BLOCK_T + time
        inside = rows < end
        mask = inside[:, None] & present[None, :]
        # beyond the chunk and the tile steps are zero: the state stays as it is
        following = ((rows + 1 < end) & (time + 1 < BLOCK_T))[:, None] & present[None, :]
        raw = _tile(dt, rows, dt_stride, channel, mask) + bias[None, :]
        delta = tl.where(mask, softplus(raw), 0.0)
        raw_next = _tile(dt, rows + 1, dt_stride, channel, following) + bias[None, :]
        delta_next = tl.where(following, softplus(raw_next), 0.0)
        inputs = _tile(x, rows, x_stride, channel, mask)
        upstream = _tile(dy, rows, dy_stride, channel, mask)
        written = delta * inputs
        output = skip[None, :] * inputs
        gate_slope = upstream
        if GATED:
            opened = _tile(gate, rows, gate_stride, channel, mask)
            share = sigmoid(opened)
            gate_slope = upstream * share * (1.0 + opened * (1.0 - share))
            upstream = upstream * opened * share
        to_written = tl.zeros((BLOCK_T, BLOCK_D), tl.float32)
        to_delta = tl.zeros((BLOCK_T, BLOCK_D), tl.float32)
        for n in range(STATES):
            rate = tl.load(A + channel.to(tl.int64) * STATES + n, mask=present, other=0.0)
            b = tl.load(B + rows * b_stride + n, mask=inside, other=0.0).to(tl.float32)
            c = tl.load(C + rows * c_stride + n, mask=inside, other=0.0).to(tl.float32)
            place = ((first_kept + tile) * STATES + n) * channels + channel
            start = tl.load(kept + place, mask=present, other=0.0)
            decay = tl.exp2(delta * (rate * LOG2E)[None, :])
            added = written * b[:, None]
            through, h = tl.associative_scan((decay, added), 0, _follow)
            h += through * start[None, :]
            output += h * c[:, None]
            # where this cancels, little is carried: off by 1e-6 of dB at most (delta A of 16)
            carried = h - added
            place = (chunk * STATES + n) * channels + channel
            carry = tl.load(carries + place, mask=present, other=0.0)
            decay_next = tl.exp2(delta_next * (rate * LOG2E)[None, :])
            through, g = tl.associative_scan(
                (decay_next, upstream * c[:, None]), 0, _follow, reverse=True
            )
            g += through * carry[None, :]
            leaving = tl.sum(tl.where((time == 0)[:, None], decay * g, 0.0), axis=0)
            tl.store(carries + place, leaving, mask=present)
            exponent = g * carried
            sums = tl.load(to_rates + place, mask=present, other=0.0)
            tl.store(to_rates + place, sums + tl.sum(exponent * delta, axis=0), mask=present)
            to_delta += exponent * rate[None, :]
            to_written += g * b[:, None]
            place = (block_row + rows) * STATES + n
            tl.store(to_b + place, tl.sum(g * written, axis=1), mask=inside)
            tl.store(to_c + place, tl.sum(upstream * h, axis=1), mask=inside)
        to_dt = (to_delta + inputs * to_written) * sigmoid(raw)
        to_dt = tl.where(mask, to_dt, 0.0)
        skip_sum += tl.sum(upstream * inputs, axis=0)
        bias_sum += tl.sum(to_dt, axis=0)
        place = rows[:, None] * dx_stride + channel[None, :]
        value = delta * to_written + skip[None, :] * upstream
        tl.store(dx + place, value.to(dx.dtype.element_ty), mask=mask)
        tl.store(ddt + place, to_dt.to(ddt.dtype.element_ty), mask=mask)
        if GATED:
            value = gate_slope * output
            tl.store(dgate + place, value.to(dgate.dtype.element_ty), mask=mask)
        # one thread stores a carry that, in the next tile, others load as well
        tl.debug_barrier()
        back += 1
    tl.store(to_skips + chunk * channels + channel, skip_sum, mask=present)
    tl.store(to_biases + chunk * channels + channel, bias_sum, mask=present)
