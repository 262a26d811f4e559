"""The convolution in Triton: a program takes a block of rows and a block of channels."""

from typing import no_type_check

import triton
import triton.language as tl

from jamba_reader.ops.causal_conv1d.gpu.rows import extended, locate, sums
from jamba_reader.ops.machine.triton_math import activate


@triton.jit
@no_type_check
def forward_kernel(
    x,
    x_stride,
    weight,
    bias,
    history,
    starts,
    sequences,
    tokens,
    channels,
    y,
    final,
    CODE: tl.constexpr,  # noqa: N803
    WIDTH: tl.constexpr,  # noqa: N803
    STEPS: tl.constexpr,  # noqa: N803
    ROWS: tl.constexpr,  # noqa: N803
    COLUMNS: tl.constexpr,  # noqa: N803
):
    """Write one block of outputs, or of final histories."""
    is_history, row, sequence, place, exists = locate(starts, sequences, tokens, WIDTH, STEPS, ROWS)
    start = tl.load(starts + sequence)[:, None]
    length = tl.load(starts + sequence + 1)[:, None] - start
    sequence, place, exists = sequence[:, None], place[:, None], exists[:, None]
    column = (tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS))[None, :]
    inside = exists & (column < channels)
    target = row[:, None] * channels + column
    if is_history:
        last = length + place
        value = extended(
            x, x_stride, history, sequence, start, last, column, inside, channels, WIDTH
        )
        tl.store(final + target, value, mask=inside)
    else:
        total = sums(
            x,
            x_stride,
            weight,
            bias,
            history,
            sequence,
            start,
            place,
            column,
            inside,
            channels,
            WIDTH,
        )
        tl.store(y + target, activate(total, CODE), mask=inside)
