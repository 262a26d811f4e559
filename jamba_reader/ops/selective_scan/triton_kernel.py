"""The selective scan in Triton: kernels only; ``gpu.py`` calls them.

Time is cut into *chunks* so that one long sequence fills a GPU. A chunk's effect on the state is
``H' = exp(A * sum(delta)) * H + S`` with S its final state from zero: one pass finds S and the sum
of every chunk, a short one carries H from chunk to chunk, and a third goes through the chunks again
from the right H. All exponents are negative: nothing overflows. Backward is the same, turned round.

A tile of states is ``[states, channels]`` with 32 channels per warp, so a thread holds all states
of its channel and summing over states needs no other thread. ``table`` has a row per chunk: first
token, tokens, sequence, position in the sequence, first kept state, first snapshot of the sequence.
"""

# ruff: noqa: N803

from typing import no_type_check

import triton
import triton.language as tl

from jamba_reader.ops.selective_scan.chunks import COLUMNS

LOG2E = tl.constexpr(1.4426950408889634)
_COLUMNS = tl.constexpr(COLUMNS)


@triton.jit
@no_type_check
def _softplus(x):
    """``log(1 + e**x)``, by a polynomial of atanh so that it stays relative where it is small."""
    small = tl.exp2(-tl.abs(x) * LOG2E)
    s = small / (small + 2.0)
    z = s * s
    q = (((0.14089172 * z + 0.139803) * z + 0.20012455) * z + 0.33333157) * z + 1.0
    return tl.maximum(x, 0.0) + 2.0 * s * q


@triton.jit
@no_type_check
def _sigmoid(x):
    small = tl.exp2(-tl.abs(x) * LOG2E)
    return tl.where(x < 0.0, small, 1.0) / (1.0 + small)


@triton.jit
@no_type_check
def _row(pointer, row, stride, channel, mask):
    return tl.load(pointer + row * stride + channel, mask=mask, other=0.0).to(tl.float32)


@triton.jit
@no_type_check
def scan_kernel(  # noqa: C901
    x,
    dt,
    A,
    B,
    C,
    D,
    dt_bias,
    gate,
    y,
    x_stride,
    dt_stride,
    b_stride,
    c_stride,
    gate_stride,
    y_stride,
    table,
    starts,
    initial,
    ends,
    sums,
    final,
    kept,
    snapshots,
    every,
    channels,
    states,
    OUTPUT: tl.constexpr,
    GATED: tl.constexpr,
    FROM: tl.constexpr,
    TO: tl.constexpr,
    KEEP: tl.constexpr,
    SNAPSHOTS: tl.constexpr,
    BLOCK_D: tl.constexpr,
    BLOCK_N: tl.constexpr,
):
    """Scan one chunk of a block of channels, token by token.

    It starts FROM zero (0), the sequence's ``initial`` state (1), or the chunk's entry of
    ``starts`` (2), and its last state goes TO nowhere (0), the sequence's ``final`` state (1), or
    the chunk's entry of ``ends`` (2). Without OUTPUT it sums the step sizes into ``sums`` and
    reads and writes neither C nor outputs. KEEP tokens apart, states go to ``kept``.
    """
    chunk = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * BLOCK_D + tl.arange(0, BLOCK_D)
    state = tl.arange(0, BLOCK_N)
    present = channel < channels
    both = (state[:, None] < states) & present[None, :]
    row_of_states = table + chunk * _COLUMNS
    first = tl.load(row_of_states)
    count = tl.load(row_of_states + 1)
    sequence = tl.load(row_of_states + 2)
    before = tl.load(row_of_states + 3)
    # [channels, states] outside, [states, channels] inside: coalesced, and no thread needs another
    outer = channel[None, :].to(tl.int64) * states + state[:, None]
    inner = state[:, None].to(tl.int64) * channels + channel[None, :]
    size = channels * states
    rate = tl.load(A + outer, mask=both, other=0.0) * LOG2E
    bias = tl.load(dt_bias + channel, mask=present, other=0.0).to(tl.float32)
    h = tl.zeros((BLOCK_N, BLOCK_D), tl.float32)
    if FROM == 1:
        h = tl.load(initial + sequence * size + outer, mask=both, other=0.0)
    if FROM == 2:
        h = tl.load(starts + chunk * size + inner, mask=both, other=0.0)
    skip = tl.zeros((BLOCK_D,), tl.float32)
    total = tl.zeros((BLOCK_D,), tl.float32)
    if OUTPUT:
        skip = tl.load(D + channel, mask=present, other=0.0).to(tl.float32)
    # each row is asked for while the one before it is worked on: memory takes longer than a token
    here = present & (count > 0)
    inputs = _row(x, first, x_stride, channel, here)
    raw = _row(dt, first, dt_stride, channel, here)
    opened = inputs
    if GATED:
        opened = _row(gate, first, gate_stride, channel, here)
    token = count * 0
    while token < count:
        row = first + token
        here = present & (token + 1 < count)
        next_inputs = _row(x, row + 1, x_stride, channel, here)
        next_raw = _row(dt, row + 1, dt_stride, channel, here)
        next_opened = next_inputs
        if GATED:
            next_opened = _row(gate, row + 1, gate_stride, channel, here)
        if KEEP > 0:  # noqa: SIM102, the outer condition is the compiler's
            if token % KEEP == 0:
                place = tl.load(row_of_states + 4) + token // KEEP
                tl.store(kept + place * size + inner, h, mask=both)
        delta = _softplus(raw + bias)
        b = _row(B, row, b_stride, state[:, None], state[:, None] < states)
        h = tl.exp2(delta[None, :] * rate) * h + (delta * inputs)[None, :] * b
        if OUTPUT:
            c = _row(C, row, c_stride, state[:, None], state[:, None] < states)
            value = tl.sum(h * c, axis=0) + skip * inputs
            if GATED:
                value = value * opened * _sigmoid(opened)
            tl.store(y + row * y_stride + channel, value.to(y.dtype.element_ty), mask=present)
        else:
            total += delta
        if SNAPSHOTS:
            position = before + token + 1
            if position % every == 0:
                place = tl.load(row_of_states + 5) + position // every - 1
                tl.store(snapshots + place * size + inner, h, mask=both)
        inputs, raw, opened = next_inputs, next_raw, next_opened
        token += 1
    if TO == 1:
        tl.store(final + sequence * size + outer, h, mask=both)
    if TO == 2:
        tl.store(ends + chunk * size + inner, h, mask=both)
    if not OUTPUT:
        tl.store(sums + chunk * channels + channel, total, mask=present)


@triton.jit
@no_type_check
def carry_kernel(
    A,
    ends,
    sums,
    first_chunks,
    entering,
    leaving,
    channels,
    states,
    ENTERS: tl.constexpr,
    REVERSE: tl.constexpr,
    BLOCK_D: tl.constexpr,
    BLOCK_N: tl.constexpr,
):
    """Replace what each chunk adds by what reaches it, chunk after chunk of one sequence.

    ``entering`` and ``leaving`` are the initial and final states, or, in REVERSE, the gradients of
    the final and initial ones.
    """
    sequence = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * BLOCK_D + tl.arange(0, BLOCK_D)
    state = tl.arange(0, BLOCK_N)
    present = channel < channels
    both = (state[:, None] < states) & present[None, :]
    outer = channel[None, :].to(tl.int64) * states + state[:, None]
    inner = state[:, None].to(tl.int64) * channels + channel[None, :]
    size = channels * states
    rate = tl.load(A + outer, mask=both, other=0.0) * LOG2E
    h = tl.zeros((BLOCK_N, BLOCK_D), tl.float32)
    if ENTERS:
        h = tl.load(entering + sequence * size + outer, mask=both, other=0.0)
    first = tl.load(first_chunks + sequence)
    count = tl.load(first_chunks + sequence + 1) - first
    number = count * 0
    while number < count:
        chunk = first + number
        if REVERSE:
            chunk = first + count - 1 - number
        added = tl.load(ends + chunk * size + inner, mask=both, other=0.0)
        total = tl.load(sums + chunk * channels + channel, mask=present, other=0.0)
        tl.store(ends + chunk * size + inner, h, mask=both)
        h = tl.exp2(total[None, :] * rate) * h + added
        number += 1
    tl.store(leaving + sequence * size + outer, h, mask=both)


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
    first = tl.load(table + chunk * _COLUMNS)
    count = tl.load(table + chunk * _COLUMNS + 1)
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
        delta = _softplus(_row(dt, row, dt_stride, channel, present) + bias)
        upstream = _row(dy, row, dy_stride, channel, present)
        if GATED:
            opened = _row(gate, row, gate_stride, channel, present)
            upstream = upstream * opened * _sigmoid(opened)
        c = _row(C, row, c_stride, state[:, None], state[:, None] < states)
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
    first = tl.load(table + chunk * _COLUMNS)
    end = first + tl.load(table + chunk * _COLUMNS + 1)
    first_kept = tl.load(table + chunk * _COLUMNS + 4)
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
        delta = tl.where(mask, _softplus(raw), 0.0)
        raw_next = _tile(dt, rows + 1, dt_stride, channel, following) + bias[None, :]
        delta_next = tl.where(following, _softplus(raw_next), 0.0)
        inputs = _tile(x, rows, x_stride, channel, mask)
        upstream = _tile(dy, rows, dy_stride, channel, mask)
        written = delta * inputs
        output = skip[None, :] * inputs
        gate_slope = upstream
        if GATED:
            opened = _tile(gate, rows, gate_stride, channel, mask)
            share = _sigmoid(opened)
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
            # what is forgotten entirely must not come back as the rounding of h - added
            carried = tl.where(decay > 1e-7, h - added, 0.0)
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
        to_dt = (to_delta + inputs * to_written) * _sigmoid(raw)
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
        back += 1
    tl.store(to_skips + chunk * channels + channel, skip_sum, mask=present)
    tl.store(to_biases + chunk * channels + channel, bias_sum, mask=present)
