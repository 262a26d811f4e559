"""The forward scan in numba, called by ``launch``.

The recurrence itself runs in float32 twice: once from the state that the block began with, which
gives the outputs, and once from zero, which gives what the block adds to the state. The second is
added to the old state, decayed by the sum of the block's step sizes. So a state is rounded once per
block, not once per token, and with a long constant input it neither drifts nor stops changing. The
error is 1e-6 over 65,536 equal tokens; a plain float32 recurrence has 1e-4 over 4,096.
"""

# ruff: noqa: N803, N806
# A, B, C and D are the names of these matrices in the literature

from typing import no_type_check

import numba
import numpy as np
from numba import prange

from jamba_reader.ops.machine.rows import lane_place, read, write
from jamba_reader.ops.selective_scan.cpu.layout import (
    BLOCK,
    GROUP,
    TILES,
    fill_zero,
    gather_rows,
    gather_states,
    operands_of,
    padded_states,
    scatter_states,
    tiles_of,
)
from spider.compilation import njit
from spider.kernels.lane_math import LOG2E, exp2, exp2_less_one, sigmoid, softplus
from spider.kernels.lanes import (
    LANES_BYTES,
    WIDTH,
    broadcast,
    copy_bytes,
    fma,
    load,
    load_scalar,
    store,
)

_ZERO = np.float32(0)


@njit
@no_type_check
def _step(delta, written, rate, state, added, b, c, y):
    """One token of sixteen channels' one state: the new state, what is added, the output."""
    decay = exp2(delta * rate)
    update = written * broadcast(b)
    state = fma(decay, state, update)
    return state, fma(decay, added, update), fma(state, broadcast(c), y)


@njit
@no_type_check
def _carry(rate, total, place, added):
    """Decay a state by a whole block and add what the block adds."""
    state = load(place)
    store(place, state + fma(exp2_less_one(total * rate), state, added))


@njit
@no_type_check
def _advance(rates, states, n, width, work, b_rows, c_rows, total, count):
    """Pass four states of a tile over a block."""
    deltas, writtens, outputs = work, work + LANES_BYTES * BLOCK, work + 2 * LANES_BYTES * BLOCK
    place = LANES_BYTES * n
    a0, a1 = load(rates + place), load(rates + place + 64)
    a2, a3 = load(rates + place + 128), load(rates + place + 192)
    h0, h1 = load(states + place), load(states + place + 64)
    h2, h3 = load(states + place + 128), load(states + place + 192)
    s0 = s1 = s2 = s3 = broadcast(_ZERO)
    for token in range(count):
        delta = load(lane_place(deltas, token))
        written = load(lane_place(writtens, token))
        y = load(lane_place(outputs, token))
        b, c = b_rows + 4 * (token * width + n), c_rows + 4 * (token * width + n)
        h0, s0, y = _step(delta, written, a0, h0, s0, load_scalar(b), load_scalar(c), y)
        h1, s1, y = _step(delta, written, a1, h1, s1, load_scalar(b + 4), load_scalar(c + 4), y)
        h2, s2, y = _step(delta, written, a2, h2, s2, load_scalar(b + 8), load_scalar(c + 8), y)
        h3, s3, y = _step(delta, written, a3, h3, s3, load_scalar(b + 12), load_scalar(c + 12), y)
        store(lane_place(outputs, token), y)
    _carry(a0, total, states + place, s0)
    _carry(a1, total, states + place + 64, s1)
    _carry(a2, total, states + place + 128, s2)
    _carry(a3, total, states + place + 192, s3)


@njit
@no_type_check
def _prepare(x, dt, D, dt_bias, channel, present, first, count, work, spare):
    """Step sizes, written inputs and skip connections of a block; returns the step sizes' sum."""
    skip = read(D.address, channel, D.kind, present, spare)
    bias = read(dt_bias.address, channel, dt_bias.kind, present, spare)
    total = broadcast(_ZERO)
    for token in range(count):
        row = first + token
        inputs = read(x.address, row * x.stride + channel, x.kind, present, spare)
        raw = read(dt.address, row * dt.stride + channel, dt.kind, present, spare)
        delta = softplus(raw + bias)
        total = total + delta
        store(lane_place(work, token), delta)
        store(lane_place(work, BLOCK + token), delta * inputs)
        store(lane_place(work, 2 * BLOCK + token), skip * inputs)
    return total


@njit
@no_type_check
def _finish(gate, y, channel, present, first, count, work, spare):
    """Gate a block's outputs and write them."""
    for token in range(count):
        row = first + token
        value = load(lane_place(work, 2 * BLOCK + token))
        if gate.address != 0:
            place = row * gate.stride + channel
            opened = read(gate.address, place, gate.kind, present, spare)
            value = value * (opened * sigmoid(opened))
        write(y.address, row * y.stride + channel, y.kind, present, spare, value)


@njit
@no_type_check
def _load_tiles(A, initial, channel, sequence, channels, states, rates, held):
    """Bring a group's decay rates and initial states into working memory."""
    width = padded_states(states)
    for start in range(channel, min(channel + GROUP, channels), WIDTH):
        present = min(WIDTH, channels - start)
        offset = (start - channel) * 4 * width
        gather_states(A + 4 * start * states, present, states, rates + offset, LOG2E)
        if initial == 0:
            fill_zero(held + offset, width)
        else:
            source = initial + 4 * (sequence * channels + start) * states
            gather_states(source, present, states, held + offset, np.float32(1))


@njit
@no_type_check
def _store_tiles(held, channel, row, channels, states, target):
    """Write a group's states into row ``row`` of ``[rows, channels, states]``."""
    width = padded_states(states)
    for start in range(channel, min(channel + GROUP, channels), WIDTH):
        place = target + 4 * (row * channels + start) * states
        source = held + (start - channel) * 4 * width
        scatter_states(source, min(WIDTH, channels - start), states, place)


@njit
@no_type_check
def _scan_block(operands, channel, first, count, places, states):
    """Pass a group of channels over one block of one sequence."""
    width = padded_states(states)
    rates, held, work, b_rows, c_rows, spare = places
    x, dt, B, C, D, dt_bias, gate, y, _, channels, _ = operands
    gather_rows(B, first, count, states, b_rows)
    gather_rows(C, first, count, states, c_rows)
    for start in range(channel, min(channel + GROUP, channels), WIDTH):
        present = min(WIDTH, channels - start)
        offset = (start - channel) * 4 * width
        total = _prepare(x, dt, D, dt_bias, start, present, first, count, work, spare)
        for n in range(0, width, 4):
            _advance(
                rates + offset,
                held + offset,
                n,
                width,
                work,
                b_rows,
                c_rows,
                total,
                count,
            )
        _finish(gate, y, start, present, first, count, work, spare)


@njit
@no_type_check
def _scan_unit(table, addresses, starts, sequence, channel, scratch):
    """Scan one sequence's group of channels."""
    operands = operands_of(table)
    channels, states = operands.channels, operands.states
    initial, final, blocks = addresses
    places = _places(scratch, states)
    rates, held = places[:2]
    tile_bytes = LANES_BYTES * padded_states(states)
    all_tiles, tiles = tiles_of(channels), tiles_of(min(GROUP, channels - channel))
    _load_tiles(operands.A, initial, channel, sequence, channels, states, rates, held)
    begin, end = starts[0, sequence], starts[0, sequence + 1]
    position = 0
    while begin + position < end:
        if blocks != 0:
            block = starts[1, sequence] + position // BLOCK
            target = blocks + (block * all_tiles + channel // WIDTH) * tile_bytes
            copy_bytes(target, held, tiles * tile_bytes)
        count = min(BLOCK, end - begin - position)
        _scan_block(operands, channel, begin + position, count, places, states)
        position += count
    _store_tiles(held, channel, sequence, channels, states, final)


@njit
@no_type_check
def _places(scratch, states):
    """Addresses within a thread's working memory."""
    tile_bytes = LANES_BYTES * padded_states(states)
    held = scratch + TILES * tile_bytes
    work = held + TILES * tile_bytes
    b_rows = work + 3 * LANES_BYTES * BLOCK
    c_rows = b_rows + 4 * BLOCK * padded_states(states)
    spare = c_rows + 4 * BLOCK * padded_states(states)
    return scratch, held, work, b_rows, c_rows, spare


@njit
@no_type_check
def forward_scratch_bytes(states):
    """Working memory of one thread."""
    return _places(0, states)[5] + LANES_BYTES


@njit(parallel=True, nogil=True)
@no_type_check
def scan_forward(table, addresses, starts, scratch, scratch_bytes):
    """Scan all sequences.

    Args:
        table: the operands.
        addresses: the addresses of the initial states, the final states, and the states before
            every block (as ``[tiles, states, 16]``, for the backward pass); 0 means none.
        starts: each sequence's first token and first block, ``[2, sequences + 1]``.
        scratch: working memory of all threads.
        scratch_bytes: the working memory of one thread.
    """
    sequences = starts.shape[1] - 1
    groups = (operands_of(table).channels + GROUP - 1) // GROUP
    for unit in prange(groups * sequences):
        place = scratch + numba.get_thread_id() * scratch_bytes
        sequence, channel = unit % sequences, unit // sequences * GROUP
        _scan_unit(table, addresses, starts, sequence, channel, place)
