"""Runs one decoding step in numba: one thread schedules, all threads compute.

The scheduling thread computes what is short, norms and routing, and posts the rest as jobs, see
``jamba_reader.ops.machine.shared_work``.
"""

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.decode_step.cpu.pieces import channel_tiles, do_pieces, tiles_of
from jamba_reader.ops.decode_step.operands import (
    ATTENTION_OUTPUT,
    B_NORM,
    BIAS,
    C_NORM,
    DENSE,
    DOWN,
    DOWN_SCALE,
    DT_NORM,
    ENTER,
    EXPERT_GATE,
    EXPERT_RETURN,
    EXPERTS,
    JOB,
    KEY,
    MAMBA,
    MATRIX,
    MATRIX_COLUMNS,
    MATRIX_KIND,
    MATRIX_ROWS,
    MATRIX_SCALE,
    MULTIPLY,
    NORM,
    OPEN_GATE,
    OUT,
    OUT_BIAS,
    PART,
    PLACE,
    QUERY,
    QUERY_KEY_VALUE,
    ROUTER,
    SCAN,
    SOURCE,
    SOURCE_STRIDE,
    TARGET,
    TARGET_STRIDE,
    VALUE,
    WEIGHT,
    WEIGHT_KIND,
    X,
)
from jamba_reader.ops.linear.cpu.few_rows import multiply_tile
from jamba_reader.ops.machine.rows import (
    BFLOAT16,
    FLOAT32,
    Matrix,
    Rows,
    bytes_of,
    read,
    rounded_to,
    write,
)
from jamba_reader.ops.machine.shared_work import (
    end,
    give_back,
    is_over,
    leads,
    post,
    take,
    wait_for,
)
from spider.compilation import njit
from spider.kernels.lanes import (
    WIDTH,
    broadcast,
    copy_bytes,
    fma,
    lanes_on_stack,
    load_bfloat16,
    store_bfloat16,
    sum_of_lanes,
)


@njit
@no_type_check
def _rounded_lanes(kind, value, spare):
    """Lanes as memory of this kind would hold them."""
    if kind == BFLOAT16:
        store_bfloat16(spare, value)
        return load_bfloat16(spare)
    return value


@njit(error_model="numpy")
@no_type_check
def normalise_row(kind, source, width, weight, eps, target):
    """Scale a row to a root mean square of one, then by a weight; it may stay where it is."""
    spare = lanes_on_stack()
    squares = broadcast(np.float32(0))
    for c in range(0, width, WIDTH):
        value = read(source, c, kind, width - c, spare)
        squares = fma(value, value, squares)
    mean = sum_of_lanes(squares) / np.float32(width)
    inverse = broadcast(np.float32(1) / np.sqrt(mean + np.float32(eps)))
    for c in range(0, width, WIDTH):
        value = read(source, c, kind, width - c, spare) * inverse
        value = _rounded_lanes(kind, value, spare)
        scaled = value * read(weight, c, kind, width - c, spare)
        write(target, c, kind, width - c, spare, scaled)


@njit(error_model="numpy")
@no_type_check
def add_and_normalise(shape, buffers, weight, eps):
    """Add the branch to the stream, and normalise what that gives."""
    spare = lanes_on_stack()
    kind, width = shape.kind, shape.hidden
    for row in range(shape.rows):
        place = row * width * bytes_of(kind)
        for c in range(0, width, WIDTH):
            value = read(buffers.stream + place, c, kind, width - c, spare)
            value = value + read(buffers.branch + place, c, kind, width - c, spare)
            write(buffers.stream + place, c, kind, width - c, spare, value)
        normalise_row(kind, buffers.stream + place, width, weight, eps, buffers.normed + place)


@njit(error_model="numpy")
@no_type_check
def choose(logits, ids, shares):
    """Choose the experts with the largest softmax; of equal ones the first."""
    rows, experts = logits.shape
    for row in range(rows):
        powers = np.exp(logits[row] - logits[row].max())
        powers /= powers.sum()
        for choice in range(ids.shape[1]):
            best = 0
            for expert in range(1, experts):
                if powers[expert] > powers[best]:
                    best = expert
            ids[row, choice], shares[row, choice] = best, powers[best]
            powers[best] = np.float32(-1)


@njit(error_model="numpy")
@no_type_check
def route(shape, part, buffers, chosen, offsets, tokens, shares):
    """Choose every row's experts, and sort the pairs of row and expert; returns how many experts.

    Pairs with one expert keep the order of the rows, and their inputs are copied side by side.
    """
    kind, hidden, rows = shape.kind, shape.hidden, shape.rows
    logits = np.empty((rows, shape.experts), np.float32)
    for tile in range(tiles_of(shape.experts)):
        multiply_tile(
            Matrix(part[ROUTER], shape.experts, hidden, kind, 0),
            tile,
            Rows(0, 0, kind),
            Rows(buffers.normed, hidden, kind),
            rows,
            Rows(logits.ctypes.data, shape.experts, FLOAT32),
        )
    for row in range(rows):
        for expert in range(shape.experts):
            logits[row, expert] = rounded_to(kind, logits[row, expert])
    ids = np.empty((rows, shape.chosen), np.int64)
    weights = np.empty((rows, shape.chosen), np.float32)
    choose(logits, ids, weights)
    size = bytes_of(kind) * hidden
    pair = used = 0
    for expert in range(shape.experts):
        offsets[expert] = pair
        for row in range(rows):
            for choice in range(shape.chosen):
                if ids[row, choice] == expert:
                    tokens[pair], shares[pair] = row, rounded_to(kind, weights[row, choice])
                    copy_bytes(buffers.copies + pair * size, buffers.normed + row * size, size)
                    pair += 1
        if pair > offsets[expert]:
            chosen[used] = expert
            used += 1
    offsets[shape.experts] = pair
    return used


@njit(error_model="numpy")
@no_type_check
def _work(shape, parts, buffers, board, threads, job, chosen, offsets, tokens, shares, total):
    """Do pieces of the job until none is left."""
    while True:
        first, last = take(board, threads)
        if first == last:
            return
        do_pieces(shape, parts, buffers, job, first, last, chosen, offsets, tokens, shares, total)
        give_back(board, last - first)


@njit(error_model="numpy")
@no_type_check
def _finish(name, place, pieces, *crew):
    """Post a job, do it with whoever is there, and wait until it is done."""
    board, job = crew[3], crew[5]
    job[JOB], job[PLACE] = name, place
    post(board, pieces)
    _work(*crew)
    wait_for(board, pieces)


@njit(error_model="numpy")
@no_type_check
def _product(weight, rows, columns, kind, scale, bias, source, stride, target, place, *crew):
    """Multiply the rows at ``source`` by a matrix, to ``target``."""
    job = crew[5]
    job[MATRIX], job[MATRIX_ROWS], job[MATRIX_COLUMNS] = weight, rows, columns
    job[MATRIX_KIND], job[MATRIX_SCALE], job[BIAS] = kind, scale, bias
    job[SOURCE], job[SOURCE_STRIDE] = source, stride
    job[TARGET], job[TARGET_STRIDE] = target, rows
    _finish(MULTIPLY, place, tiles_of(rows), *crew)


@njit(error_model="numpy")
@no_type_check
def _mamba(shape, part, buffers, eps, place, *crew):
    """Mix by convolution and selective scan."""
    kind, inner, rank, states = shape.kind, shape.inner, shape.rank, shape.states
    size, small = bytes_of(kind), rank + 2 * states
    _finish(ENTER, place, 2 * channel_tiles(inner), *crew)
    _product(part[X], small, inner, kind, 0, 0, buffers.inputs, inner, buffers.small, place, *crew)
    for row in range(shape.rows):
        address = buffers.small + row * small * size
        normalise_row(kind, address, rank, part[DT_NORM], eps, address)
        address += rank * size
        normalise_row(kind, address, states, part[B_NORM], eps, address)
        address += states * size
        normalise_row(kind, address, states, part[C_NORM], eps, address)
    _finish(SCAN, place, channel_tiles(inner), *crew)
    out, bias = part[OUT], part[OUT_BIAS]
    hidden = shape.hidden
    _product(
        out, hidden, inner, kind, 0, bias, buffers.scanned, inner, buffers.branch, place, *crew
    )


@njit(error_model="numpy")
@no_type_check
def _feed_forward(shape, part, buffers, place, *crew):
    """Feed forward, densely or through each row's experts."""
    hidden, width, kind = shape.hidden, shape.intermediate, part[WEIGHT_KIND]
    if part[PART] == DENSE:
        _finish(OPEN_GATE, place, tiles_of(width), *crew)
        down, scale = part[DOWN], part[DOWN_SCALE]
        _product(
            down, hidden, width, kind, scale, 0, buffers.active, width, buffers.branch, place, *crew
        )
        return
    chosen, offsets, tokens, shares = crew[6], crew[7], crew[8], crew[9]
    used = route(shape, part, buffers, chosen, offsets, tokens, shares)
    _finish(EXPERT_GATE, place, used * tiles_of(width), *crew)
    _finish(EXPERT_RETURN, place, tiles_of(hidden), *crew)


@njit(error_model="numpy")
@no_type_check
def _run_part(place, eps, *crew):
    """Do one part of the model."""
    shape, parts, buffers = crew[0], crew[1], crew[2]
    part, hidden, kind = parts[place], shape.hidden, shape.kind
    if part[PART] == ATTENTION_OUTPUT:
        width = shape.queries
        _product(
            part[WEIGHT],
            hidden,
            width,
            kind,
            0,
            0,
            buffers.mixed,
            width,
            buffers.branch,
            place,
            *crew,
        )
        return
    add_and_normalise(shape, buffers, part[NORM], eps)
    normed = buffers.normed
    if part[PART] == MAMBA:
        _mamba(shape, part, buffers, eps, place, *crew)
    elif part[PART] == QUERY_KEY_VALUE:
        width, query, key = shape.shared, part[QUERY], part[KEY]
        value = part[VALUE]
        _product(
            query, shape.queries, hidden, kind, 0, 0, normed, hidden, buffers.query, place, *crew
        )
        _product(key, width, hidden, kind, 0, 0, normed, hidden, buffers.key, place, *crew)
        _product(value, width, hidden, kind, 0, 0, normed, hidden, buffers.value, place, *crew)
    elif part[PART] == DENSE or part[PART] == EXPERTS:
        _feed_forward(shape, part, buffers, place, *crew)
    else:
        rows = shape.vocabulary
        weight = part[WEIGHT]
        _product(weight, rows, hidden, kind, 0, 0, normed, hidden, buffers.logits, place, *crew)


@njit(error_model="numpy")
@no_type_check
def _join(first, last, eps, *crew):
    """Lead through the parts, or do what the leader posts."""
    board = crew[3]
    if leads(board):
        for place in range(first, last):
            _run_part(place, eps, *crew)
        end(board)
    while not is_over(board):
        _work(*crew)


@njit(parallel=True, nogil=True, error_model="numpy")
@no_type_check
def run_parts(
    first,
    last,
    eps,
    shape,
    parts,
    buffers,
    threads,
    board,
    job,
    chosen,
    offsets,
    tokens,
    shares,
    total,
):
    """Run some parts of the model.

    Args:
        first: part.
        last: behind the last one.
        eps: the epsilon of the norms.
        shape: a ``Shape``.
        parts: the table, a row per part.
        buffers: a ``Buffers``.
        threads: how many to start.
        board: ``shared_work.BOARD`` zeros.
        job: ``operands.JOB_WORDS`` int64, written by the leader.
        chosen: is filled with the experts that any row has chosen; the four below are filled too.
        offsets: first pair of each expert, and their number.
        tokens: row of each pair of row and expert.
        shares: weight of each pair.
        total: float32, a row per token.
    """
    place = board.ctypes.data
    for _ in prange(threads):
        _join(
            first,
            last,
            eps,
            shape,
            parts,
            buffers,
            place,
            threads,
            job,
            chosen,
            offsets,
            tokens,
            shares,
            total,
        )
