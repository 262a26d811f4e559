"""The selective scan in Triton: the forward kernels and shared functions; ``launch`` calls them.

Time is cut into *chunks* so that one long sequence fills a GPU. A chunk's effect on the state is
``H' = exp(A * sum(delta)) * H + S`` with S its final state from zero. The first pass finds S and
the sum of every chunk. A short pass carries H from chunk to chunk. The third pass scans the chunks
again from the right H. All exponents are negative: nothing overflows. Backward is the same in
reverse.

A tile of states is ``[states, channels]`` with 32 channels per warp. So a thread holds all states
of its channel and sums over them alone. ``table`` has a row per chunk: first token, tokens,
sequence, first kept state.
"""

# ruff: noqa: N803

from typing import no_type_check

import triton
import triton.language as tl

from jamba_reader.ops.selective_scan.gpu.chunks import COLUMNS

LOG2E = tl.constexpr(1.4426950408889634)
TABLE_WIDTH = tl.constexpr(COLUMNS)


@triton.jit
@no_type_check
def softplus(x):
    """``log(1 + e**x)``, by a polynomial of atanh so that it stays relative where it is small."""
    small = tl.exp2(-tl.abs(x) * LOG2E)
    s = small / (small + 2.0)
    z = s * s
    q = (((0.14089172 * z + 0.139803) * z + 0.20012455) * z + 0.33333157) * z + 1.0
    return tl.maximum(x, 0.0) + 2.0 * s * q


@triton.jit
@no_type_check
def sigmoid(x):
    """``1 / (1 + e**-x)``."""
    small = tl.exp2(-tl.abs(x) * LOG2E)
    return tl.where(x < 0.0, small, 1.0) / (1.0 + small)


@triton.jit
@no_type_check
def load_row(pointer, row, stride, channel, mask):
    """One row of a matrix, in float32; zero where masked."""
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
    channels,
    states,
    OUTPUT: tl.constexpr,
    GATED: tl.constexpr,
    FROM: tl.constexpr,
    TO: tl.constexpr,
    KEEP: tl.constexpr,
    BLOCK_D: tl.constexpr,
    BLOCK_N: tl.constexpr,
):
    """Scan one chunk of a block of channels, token by token.

    FROM is where it starts: zero (0), the sequence's ``initial`` state (1), or the chunk's entry
    of ``starts`` (2). TO is where its last state goes: nowhere (0), the sequence's ``final`` state
    (1), or the chunk's entry of ``ends`` (2). Without OUTPUT it sums the step sizes into ``sums``,
    and neither reads C nor writes outputs. Every KEEP tokens, the state is written to ``kept``.
    """
    chunk = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * BLOCK_D + tl.arange(0, BLOCK_D)
    state = tl.arange(0, BLOCK_N)
    present = channel < channels
    both = (state[:, None] < states) & present[None, :]
    row_of_states = table + chunk * TABLE_WIDTH
    first = tl.load(row_of_states)
    count = tl.load(row_of_states + 1)
    sequence = tl.load(row_of_states + 2)
    # [channels, states] in the operands, [states, channels] in the buffers: coalesced access
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
    # each row is loaded while the row before it is computed: memory is slower than one token
    here = present & (count > 0)
    inputs = load_row(x, first, x_stride, channel, here)
    raw = load_row(dt, first, dt_stride, channel, here)
    opened = inputs
    if GATED:
        opened = load_row(gate, first, gate_stride, channel, here)
    token = count * 0
    while token < count:
        row = first + token
        here = present & (token + 1 < count)
        next_inputs = load_row(x, row + 1, x_stride, channel, here)
        next_raw = load_row(dt, row + 1, dt_stride, channel, here)
        next_opened = next_inputs
        if GATED:
            next_opened = load_row(gate, row + 1, gate_stride, channel, here)
        if KEEP > 0:  # noqa: SIM102, the outer condition is the compiler's
            if token % KEEP == 0:
                place = tl.load(row_of_states + 3) + token // KEEP
                tl.store(kept + place * size + inner, h, mask=both)
        delta = softplus(raw + bias)
        b = load_row(B, row, b_stride, state[:, None], state[:, None] < states)
        h = tl.exp2(delta[None, :] * rate) * h + (delta * inputs)[None, :] * b
        if OUTPUT:
            c = load_row(C, row, c_stride, state[:, None], state[:, None] < states)
            value = tl.sum(h * c, axis=0) + skip * inputs
            if GATED:
                value = value * opened * sigmoid(opened)
            tl.store(y + row * y_stride + channel, value.to(y.dtype.element_ty), mask=present)
        else:
            total += delta
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
