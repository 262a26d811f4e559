"""What a piece of each job of one token does, in numba: a few rows of a matrix and what follows.

Pieces compute what the layers compute and round where they round. Products read each weight once:
see ``jamba_reader.ops.machine.products``. No sum is shared by threads, so results do not depend on
which thread takes which piece.
"""

from typing import no_type_check

import numpy as np

from jamba_reader.ops.activation import SILU
from jamba_reader.ops.decode_step.operands import (
    BIAS,
    CONV,
    CONV_BIAS,
    DECAY,
    DOWN,
    DOWN_SCALE,
    DT,
    DT_BIAS,
    ENTER,
    EXPERT_GATE,
    GATE,
    GATE_SCALE,
    HISTORY,
    IN,
    IN_BIAS,
    JOB,
    MATRIX,
    MATRIX_COLUMNS,
    MATRIX_KIND,
    MATRIX_ROWS,
    MATRIX_SCALE,
    MULTIPLY,
    NEW_HISTORY,
    NEW_STATE,
    OPEN_GATE,
    PLACE,
    SCAN,
    SKIP,
    SOURCE,
    SOURCE_STRIDE,
    STATE,
    TARGET,
    TARGET_STRIDE,
    UP,
    UP_SCALE,
    WEIGHT_KIND,
)
from jamba_reader.ops.experts.cpu.few_rows import gate_tile, matrix_in_stack, return_tile
from jamba_reader.ops.linear.cpu.few_rows import multiply_tile
from jamba_reader.ops.machine.products import OUTPUTS
from jamba_reader.ops.machine.rows import (
    FLOAT32,
    Matrix,
    Rows,
    bytes_of,
    read,
    read_one,
    write,
    write_one,
)
from jamba_reader.ops.machine.scalar_math import gelu, silu
from jamba_reader.ops.selective_scan.cpu.layout import ScanOperands
from jamba_reader.ops.selective_scan.cpu.step import step_tile
from spider.compilation import njit
from spider.kernels.lanes import (
    WIDTH,
    broadcast,
    fma,
    lanes_on_stack,
    load_scalar,
    store,
    with_lane,
)


@njit
@no_type_check
def tiles_of(rows):
    """Number of pieces of a matrix with this many rows."""
    return (rows + OUTPUTS - 1) // OUTPUTS


@njit
@no_type_check
def channel_tiles(channels):
    """Number of pieces of this many channels."""
    return (channels + WIDTH - 1) // WIDTH


@njit(error_model="numpy")
@no_type_check
def _convolve(shape, part, buffers, first):
    """Convolve sixteen channels of every sequence with their past, in place; move the past on.

    Taps are added oldest first, as in ``ops.causal_conv1d``: the sums are the same to the bit.
    """
    spare = lanes_on_stack()
    kind, inner, past = shape.kind, shape.inner, shape.window - 1
    present = min(WIDTH, inner - first)
    for row in range(shape.rows):
        total = broadcast(np.float32(0))
        if part[CONV_BIAS] != 0:
            total = read(part[CONV_BIAS], first, kind, present, spare)
        place = row * inner + first
        for tap in range(shape.window):
            weight = broadcast(np.float32(0))
            for lane in range(present):
                at = (first + lane) * shape.window + tap
                weight = with_lane(weight, lane, read_one(part[CONV], at, kind))
            before = (row * past + tap) * inner + first
            if tap < past:
                value = read(part[HISTORY], before, kind, present, spare)
            else:
                value = read(buffers.inputs, place, kind, present, spare)
            if tap > 0:
                write(part[NEW_HISTORY], before - inner, kind, present, spare, value)
            total = fma(value, weight, total)
        store(spare, total)
        for lane in range(present):
            value = load_scalar(spare + 4 * lane)
            active = silu(value) if shape.activation == SILU else gelu(value)
            write_one(buffers.inputs, place + lane, kind, active)


@njit(error_model="numpy")
@no_type_check
def _enter(shape, part, buffers, piece):
    """Project onto sixteen channels of the scan's inputs, convolved at once, or of its gate."""
    kind, inner = shape.kind, shape.inner
    pieces = channel_tiles(inner)
    half, first = piece // pieces, piece % pieces * WIDTH
    weight = part[IN] + half * inner * shape.hidden * bytes_of(kind)
    bias = part[IN_BIAS] + half * inner * bytes_of(kind) if part[IN_BIAS] != 0 else 0
    out = Rows(buffers.inputs if half == 0 else buffers.gate, inner, kind)
    for tile in range(first // OUTPUTS, tiles_of(min(first + WIDTH, inner))):
        multiply_tile(
            Matrix(weight, inner, shape.hidden, kind, 0),
            tile,
            Rows(bias, 0, kind),
            Rows(buffers.normed, shape.hidden, kind),
            shape.rows,
            out,
        )
    if half == 0:
        _convolve(shape, part, buffers, first)


@njit(error_model="numpy")
@no_type_check
def _scan(shape, part, buffers, piece):
    """Compute the time step of sixteen channels, and advance their states."""
    kind, inner, rank = shape.kind, shape.inner, shape.rank
    first, small = piece * WIDTH, rank + 2 * shape.states
    for tile in range(first // OUTPUTS, tiles_of(min(first + WIDTH, inner))):
        # the bias is added within the scan, in float32
        multiply_tile(
            Matrix(part[DT], inner, rank, kind, 0),
            tile,
            Rows(0, 0, kind),
            Rows(buffers.small, small, kind),
            shape.rows,
            Rows(buffers.dt, inner, kind),
        )
    b = buffers.small + bytes_of(kind) * rank
    operands = ScanOperands(
        Rows(buffers.inputs, inner, kind),
        Rows(buffers.dt, inner, kind),
        Rows(b, small, kind),
        Rows(b + bytes_of(kind) * shape.states, small, kind),
        Rows(part[SKIP], 0, kind),
        Rows(part[DT_BIAS], 0, kind),
        Rows(buffers.gate, inner, kind),
        Rows(buffers.scanned, inner, kind),
        part[DECAY],
        inner,
        shape.states,
    )
    for row in range(shape.rows):
        step_tile(operands, part[STATE], part[NEW_STATE], row, first)


@njit(error_model="numpy")
@no_type_check
def _open_gate(shape, part, buffers, piece):
    """Gate and up projection of a dense feed-forward part, and what they make."""
    rows, columns, kind = shape.intermediate, shape.hidden, part[WEIGHT_KIND]
    gate_tile(
        Matrix(part[GATE], rows, columns, kind, part[GATE_SCALE]),
        Matrix(part[UP], rows, columns, kind, part[UP_SCALE]),
        piece,
        Rows(buffers.normed, columns, shape.kind),
        0,
        shape.rows,
        shape.activation,
        shape.kind,
        Rows(buffers.active, rows, shape.kind),
    )


@njit(error_model="numpy")
@no_type_check
def _expert_gate(shape, part, buffers, piece, chosen, offsets):
    """Gate and up projection of one expert."""
    rows, columns, kind = shape.intermediate, shape.hidden, part[WEIGHT_KIND]
    expert, tile = chosen[piece // tiles_of(rows)], piece % tiles_of(rows)
    gate_tile(
        matrix_in_stack(part[GATE], part[GATE_SCALE], 2 * expert, rows, columns, kind),
        matrix_in_stack(part[GATE], part[GATE_SCALE], 2 * expert + 1, rows, columns, kind),
        tile,
        Rows(buffers.copies, columns, shape.kind),
        offsets[expert],
        offsets[expert + 1],
        shape.activation,
        FLOAT32,
        Rows(buffers.active, rows, shape.kind),
    )


@njit(error_model="numpy")
@no_type_check
def _expert_return(shape, part, buffers, piece, offsets, tokens, shares, total):
    """Sum up what all experts return, eight columns of it, in the experts' order."""
    rows, columns, kind = shape.hidden, shape.intermediate, part[WEIGHT_KIND]
    first = piece * OUTPUTS
    last = min(first + OUTPUTS, rows)
    for row in range(shape.rows):
        for c in range(first, last):
            total[row, c] = np.float32(0)
    for expert in range(shape.experts):
        if offsets[expert] < offsets[expert + 1]:
            return_tile(
                matrix_in_stack(part[DOWN], part[DOWN_SCALE], expert, rows, columns, kind),
                piece,
                Rows(buffers.active, columns, shape.kind),
                offsets[expert],
                offsets[expert + 1],
                tokens,
                shares,
                total,
            )
    for row in range(shape.rows):
        for c in range(first, last):
            write_one(buffers.branch, row * rows + c, shape.kind, total[row, c])


@njit(error_model="numpy")
@no_type_check
def _multiply(shape, job, first, last):
    """Multiply the rows by rows of a matrix, eight in a piece."""
    rows, columns = job[MATRIX_ROWS], job[MATRIX_COLUMNS]
    matrix = Matrix(job[MATRIX], rows, columns, job[MATRIX_KIND], job[MATRIX_SCALE])
    bias = Rows(job[BIAS], 0, shape.kind)
    values = Rows(job[SOURCE], job[SOURCE_STRIDE], shape.kind)
    out = Rows(job[TARGET], job[TARGET_STRIDE], shape.kind)
    for piece in range(first, last):
        multiply_tile(matrix, piece, bias, values, shape.rows, out)


@njit(error_model="numpy")
@no_type_check
def do_pieces(shape, parts, buffers, job, first, last, chosen, offsets, tokens, shares, total):
    """Do some pieces of the job that is posted."""
    # views are made here, once: making one counts references, which threads do one at a time
    name, part = job[JOB], parts[job[PLACE]]
    if name == MULTIPLY:
        _multiply(shape, job, first, last)
        return
    for piece in range(first, last):
        if name == ENTER:
            _enter(shape, part, buffers, piece)
        elif name == SCAN:
            _scan(shape, part, buffers, piece)
        elif name == OPEN_GATE:
            _open_gate(shape, part, buffers, piece)
        elif name == EXPERT_GATE:
            _expert_gate(shape, part, buffers, piece, chosen, offsets)
        else:
            _expert_return(shape, part, buffers, piece, offsets, tokens, shares, total)
