"""Steps of the convolution on a block of rows and channels, for the Triton kernels.

"Extended" rows are a sequence's inputs with its history before them: output i is the sum over taps
of extended rows i to i + width - 1.
"""

from typing import no_type_check

import triton
import triton.language as tl


@triton.jit
@no_type_check
def _sequence_of(rows, starts, sequences, STEPS: tl.constexpr):  # noqa: N803
    """Find the last sequence that starts at or before each row; not one that is empty there."""
    low = tl.zeros_like(rows)
    high = low + sequences
    for _ in tl.static_range(STEPS):
        middle = (low + high) // 2
        before = tl.load(starts + middle) <= rows
        low = tl.where(before, middle, low)
        high = tl.where(before, high, middle)
    return low


@triton.jit
@no_type_check
def locate(
    starts,
    sequences,
    tokens,
    WIDTH: tl.constexpr,  # noqa: N803
    STEPS: tl.constexpr,  # noqa: N803
    ROWS: tl.constexpr,  # noqa: N803
):
    """Look up sequence and place of this program's rows, and which of them exist.

    Rows of the packed tensor have their place in the sequence; rows of the histories, which later
    programs take, have theirs in the history.
    """
    token_blocks = tl.cdiv(tokens, ROWS)
    block = tl.program_id(0).to(tl.int64)
    is_history = block >= token_blocks
    row = (block - tl.where(is_history, token_blocks, 0)) * ROWS + tl.arange(0, ROWS)
    if is_history:
        exists = row < sequences * (WIDTH - 1)
        # a history of no rows has no program, but its division is compiled
        past: tl.constexpr = WIDTH - 1 if WIDTH > 1 else 1
        sequence = tl.minimum(row // past, sequences - 1)
        place = row % past
    else:
        exists = row < tokens
        sequence = _sequence_of(row, starts, sequences, STEPS)
        place = row - tl.load(starts + sequence)
    return is_history, row, sequence, place, exists


@triton.jit
@no_type_check
def extended(
    x,
    x_stride,
    history,
    sequence,
    start,
    row,
    column,
    inside,
    channels,
    WIDTH: tl.constexpr,  # noqa: N803
):
    """Load extended rows of sequences, as float32; 0 where not ``inside`` or before all history."""
    from_x = row >= WIDTH - 1
    source = x + (start + row - (WIDTH - 1)) * x_stride + column
    value = tl.load(source, mask=inside & from_x, other=0.0).to(tl.float32)
    if history is not None:
        source = history + (sequence * (WIDTH - 1) + row) * channels + column
        inside = inside & (row >= 0) & (row < WIDTH - 1)
        value += tl.load(source, mask=inside, other=0.0).to(tl.float32)
    return value


@triton.jit
@no_type_check
def sums(
    x,
    x_stride,
    weight,
    bias,
    history,
    sequence,
    start,
    row,
    column,
    inside,
    channels,
    WIDTH: tl.constexpr,  # noqa: N803
):
    """Compute outputs before the activation."""
    real = column < channels
    total = tl.zeros(inside.shape, tl.float32)
    if bias is not None:
        total += tl.load(bias + column, mask=real, other=0.0).to(tl.float32)
    for k in tl.static_range(WIDTH):
        tap = tl.load(weight + column * WIDTH + k, mask=real, other=0.0).to(tl.float32)
        total += tap * extended(
            x, x_stride, history, sequence, start, row + k, column, inside, channels, WIDTH
        )
    return total
