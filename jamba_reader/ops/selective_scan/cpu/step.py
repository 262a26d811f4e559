"""One token of every sequence in numba, as while generating; called by ``launch``.

Here the states of one channel stand in lanes, as they lie in memory: there is no block over which
bringing them into another order would pay.
"""

# ruff: noqa: N806
# A, B, C and D are the names of these matrices in the literature

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.machine.rows import FLOAT32, read, write
from jamba_reader.ops.selective_scan.cpu.layout import operands_of, tiles_of
from spider.compilation import njit
from spider.kernels.lane_math import LOG2E, exp2, sigmoid, softplus
from spider.kernels.lanes import (
    WIDTH,
    broadcast,
    broadcast_lane,
    fma,
    lanes_on_stack,
    sum_of_lanes,
    with_lane,
)


@njit
@no_type_check
def _step_channel(operands, sequence, channel, initial, final, delta, written, spare):
    """Advance one channel's states; returns what they contribute to the output."""
    states, B, C = operands.states, operands.B, operands.C
    place = (sequence * operands.channels + channel) * states
    total = broadcast(np.float32(0))
    for n in range(0, states, WIDTH):
        present = states - n
        rate = read(operands.A, channel * states + n, FLOAT32, present, spare)
        decay = exp2(delta * (rate * broadcast(LOG2E)))
        state = written * read(B.address, sequence * B.stride + n, B.kind, present, spare)
        if initial != 0:
            state = fma(decay, read(initial, place + n, FLOAT32, present, spare), state)
        write(final, place + n, FLOAT32, present, spare, state)
        c = read(C.address, sequence * C.stride + n, C.kind, present, spare)
        total = fma(state, c, total)
    return sum_of_lanes(total)


@njit
@no_type_check
def step_tile(operands, initial, final, sequence, channel):
    """Advance sixteen channels of one sequence by one token."""
    spare = lanes_on_stack()
    x, dt, _, _, D, dt_bias, gate, y, _, channels, _ = operands
    present = min(WIDTH, channels - channel)
    inputs = read(x.address, sequence * x.stride + channel, x.kind, present, spare)
    raw = read(dt.address, sequence * dt.stride + channel, dt.kind, present, spare)
    delta = softplus(raw + read(dt_bias.address, channel, dt_bias.kind, present, spare))
    written = delta * inputs
    total = broadcast(np.float32(0))
    for lane in range(present):
        part = _step_channel(
            operands,
            sequence,
            channel + lane,
            initial,
            final,
            broadcast_lane(delta, lane),
            broadcast_lane(written, lane),
            spare,
        )
        total = with_lane(total, lane, part)
    total = fma(read(D.address, channel, D.kind, present, spare), inputs, total)
    if gate.address != 0:
        opened = read(gate.address, sequence * gate.stride + channel, gate.kind, present, spare)
        total = total * (opened * sigmoid(opened))
    write(y.address, sequence * y.stride + channel, y.kind, present, spare, total)


@njit(nogil=True)
@no_type_check
def step(table, sequences, initial, final):
    """Advance all sequences by one token, on this thread."""
    operands = operands_of(table)
    for sequence in range(sequences):
        for channel in range(0, operands.channels, WIDTH):
            step_tile(operands, initial, final, sequence, channel)


@njit(parallel=True, nogil=True)
@no_type_check
def step_parallel(table, sequences, initial, final):
    """Advance all sequences by one token, on all threads."""
    tiles = tiles_of(operands_of(table).channels)
    for unit in prange(sequences * tiles):
        step_tile(operands_of(table), initial, final, unit // tiles, unit % tiles * WIDTH)
