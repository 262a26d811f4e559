"""The backward scan in numba, called by ``launch``.

Blocks are taken last to first. Within one the states are computed again from the state that the
forward pass kept at its beginning, then the recurrence runs backwards. With ``a = exp(delta A)``,
``g`` the gradient that reaches a state and ``p`` the one that reaches the ungated output:

    g_t      = C_t p_t + a_{t+1} g_{t+1}
    dC_t    += p_t h_t              dB_t += g_t delta_t x_t          (summed over channels)
    dx_t     = D p_t + delta_t sum_n g_t B_t
    ddelta_t = x_t sum_n g_t B_t + sum_n g_t A a_t h_{t-1}
    dA      += g_t delta_t a_t h_{t-1}

``a_t h_{t-1}`` is computed as a product. The subtraction from ``h_t`` would cancel where the decay
is strong. The gradients of B and C are first summed lane by lane over a group of channels. Groups
do not depend on the number of threads, so neither do the sums.
"""

# A, B, C and D are the names of these matrices in the literature

from typing import no_type_check

import numba
import numpy as np
from numba import prange

from jamba_reader.ops.machine.rows import FLOAT32, lane_place, write
from jamba_reader.ops.selective_scan.cpu.backward_block import (
    WORK_ROWS,
    finish,
    prepare,
    reverse_tile,
)
from jamba_reader.ops.selective_scan.cpu.layout import (
    BLOCK,
    fill_zero,
    gather_rows,
    gather_states,
    operands_of,
    padded_states,
    scatter_states,
    tiles_of,
)
from spider.compilation import njit
from spider.kernels.lane_math import LOG2E
from spider.kernels.lanes import (
    LANES_BYTES,
    WIDTH,
    load,
    store_scalar,
    sum_of_lanes,
)

BACKWARD_GROUP = 256
_GROUP_TILES = BACKWARD_GROUP // WIDTH
_BLOCK_BYTES = LANES_BYTES * BLOCK
_LN2 = np.float32(np.log(2.0))
_ONE = np.float32(1)
_ZERO = np.float32(0)


@njit
@no_type_check
def _places(scratch, states):
    """Addresses within a thread's working memory."""
    group = _GROUP_TILES * LANES_BYTES * padded_states(states)
    carries = scratch + group
    rate_sums = carries + group
    row_sums = rate_sums + group
    work = row_sums + _GROUP_TILES * 2 * LANES_BYTES
    b_rows = work + WORK_ROWS * BLOCK * LANES_BYTES
    c_rows = b_rows + 4 * BLOCK * padded_states(states)
    b_sums = c_rows + 4 * BLOCK * padded_states(states)
    c_sums = b_sums + BLOCK * LANES_BYTES * padded_states(states)
    spare = c_sums + BLOCK * LANES_BYTES * padded_states(states)
    return scratch, carries, rate_sums, row_sums, (work, b_rows, c_rows, b_sums, c_sums), spare


@njit
@no_type_check
def backward_scratch_bytes(states):
    """Working memory of one thread."""
    return _places(0, states)[5] + LANES_BYTES


@njit
@no_type_check
def _write_sums(sums, states, first, count, target):
    """Sum B's or C's gradient over the lanes and write it to ``[tokens, states]``."""
    for token in range(count):
        for n in range(states):
            total = sum_of_lanes(load(lane_place(sums, n * BLOCK + token)))
            store_scalar(target + 4 * ((first + token) * states + n), total)


@njit
@no_type_check
def _reverse_unit(table, addresses, starts, sequence, group, scratch):
    """Take one sequence's group of channels backward through all its blocks."""
    operands = operands_of(table)
    channels, states = operands.channels, operands.states
    blocks, to_final, to_initial, to_rates, to_skip, to_bias, to_b, to_c = addresses
    width, all_tiles = padded_states(states), tiles_of(channels)
    tile_bytes = LANES_BYTES * width
    rates, carries, rate_sums, row_sums, places, spare = _places(scratch, states)
    work, b_rows, c_rows, b_sums, c_sums = places
    begin_channel = group * BACKWARD_GROUP
    end_channel = min(begin_channel + BACKWARD_GROUP, channels)
    tiles = tiles_of(end_channel - begin_channel)
    fill_zero(carries, tiles * width)
    fill_zero(rate_sums, tiles * width)
    fill_zero(row_sums, tiles * 2)
    for tile in range(tiles):
        channel, offset = begin_channel + tile * WIDTH, tile * tile_bytes
        present = min(WIDTH, channels - channel)
        gather_states(operands.A + 4 * channel * states, present, states, rates + offset, LOG2E)
        if to_final != 0:
            source = to_final + 4 * (sequence * channels + channel) * states
            gather_states(source, present, states, carries + offset, _ONE)
    begin, end = starts[0, sequence], starts[0, sequence + 1]
    group_rows = 4 * group * starts[0, -1] * states
    block_count = (end - begin + BLOCK - 1) // BLOCK
    for back in range(block_count):
        block = block_count - 1 - back
        first = begin + block * BLOCK
        count = min(BLOCK, end - first)
        kept = blocks + (starts[1, sequence] + block) * all_tiles * tile_bytes
        gather_rows(operands.B, first, count, states, b_rows)
        gather_rows(operands.C, first, count, states, c_rows)
        fill_zero(b_sums, BLOCK * width)
        fill_zero(c_sums, BLOCK * width)
        for tile in range(tiles):
            channel, offset = begin_channel + tile * WIDTH, tile * tile_bytes
            present = min(WIDTH, channels - channel)
            tile_kept = kept + channel // WIDTH * tile_bytes
            prepare(operands, channel, present, first, count, work, spare)
            reverse_tile(
                rates + offset,
                tile_kept,
                carries + offset,
                rate_sums + offset,
                places,
                states,
                count,
            )
            sums = row_sums + tile * 2 * LANES_BYTES
            finish(table, channel, present, first, count, work, sums, spare)
        _write_sums(b_sums, states, first, count, to_b + group_rows)
        _write_sums(c_sums, states, first, count, to_c + group_rows)
    for tile in range(tiles):
        channel, offset = begin_channel + tile * WIDTH, tile * tile_bytes
        present = min(WIDTH, channels - channel)
        place = sequence * channels + channel
        scatter_states(carries + offset, present, states, to_initial + 4 * place * states)
        scatter_states(rate_sums + offset, present, states, to_rates + 4 * place * states)
        sums = row_sums + tile * 2 * LANES_BYTES
        write(to_skip, place, FLOAT32, present, spare, load(sums))
        write(to_bias, place, FLOAT32, present, spare, load(sums + LANES_BYTES))


@njit(parallel=True, nogil=True)
@no_type_check
def scan_backward(table, addresses, starts, scratch, scratch_bytes):
    """Take all sequences backward.

    Args:
        table: the operands, dy in y's place, then the gradients of x, dt and gate.
        addresses: the addresses of the states before every block, of the gradient of the final
            states (0 where none), and of what is written: gradients of the initial states, A, D
            and dt_bias per sequence, of B and C per group of channels.
        starts: each sequence's first token and first block.
        scratch: working memory of all threads.
        scratch_bytes: the working memory of one thread.
    """
    sequences = starts.shape[1] - 1
    groups = (operands_of(table).channels + BACKWARD_GROUP - 1) // BACKWARD_GROUP
    for unit in prange(groups * sequences):
        place = scratch + numba.get_thread_id() * scratch_bytes
        _reverse_unit(table, addresses, starts, unit % sequences, unit // sequences, place)
