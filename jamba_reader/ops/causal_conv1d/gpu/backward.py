"""Gradients of the convolution in Triton: a program takes a block of rows and of channels."""

from typing import no_type_check

import triton
import triton.language as tl

from jamba_reader.ops.causal_conv1d.gpu.rows import extended, locate, sums
from jamba_reader.ops.machine.triton_math import activation_gradient


@triton.jit
@no_type_check
def backward_kernel(
    d_y,
    d_y_stride,
    d_final,
    x,
    x_stride,
    weight,
    bias,
    history,
    starts,
    sequences,
    tokens,
    channels,
    d_x,
    d_history,
    d_taps,
    CODE: tl.constexpr,  # noqa: N803
    WIDTH: tl.constexpr,  # noqa: N803
    STEPS: tl.constexpr,  # noqa: N803
    ROWS: tl.constexpr,  # noqa: N803
    COLUMNS: tl.constexpr,  # noqa: N803
):
    """Write gradients of one block of inputs or histories, and its share of the taps' gradient."""
    is_history, row, sequence, place, exists = locate(starts, sequences, tokens, WIDTH, STEPS, ROWS)
    start = tl.load(starts + sequence)[:, None]
    length = tl.load(starts + sequence + 1)[:, None] - start
    sequence, place, exists = sequence[:, None], place[:, None], exists[:, None]
    column = (tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS))[None, :]
    real = column < channels
    inside = exists & real
    # gradients of extended rows: from the outputs that they reach, and from the final history
    place += tl.where(is_history, 0, WIDTH - 1)
    gradient = tl.zeros((ROWS, COLUMNS), tl.float32)
    if d_final is not None:
        source = d_final + (sequence * (WIDTH - 1) + place - length) * channels + column
        gradient += tl.load(source, mask=inside & (place >= length), other=0.0).to(tl.float32)
    d_sum = gradient
    for k in tl.static_range(WIDTH):
        output = place - k
        reached = inside & (output >= 0) & (output < length)
        source = d_y + (start + output) * d_y_stride + column
        total = sums(
            x,
            x_stride,
            weight,
            bias,
            history,
            sequence,
            start,
            output,
            column,
            reached,
            channels,
            WIDTH,
        )
        d_sum = tl.load(source, mask=reached, other=0.0).to(tl.float32)
        d_sum *= activation_gradient(total, CODE)
        tap = tl.load(weight + column * WIDTH + k, mask=real, other=0.0).to(tl.float32)
        gradient += tap * d_sum
    target = row[:, None] * channels + column
    if is_history:
        tl.store(d_history + target, gradient, mask=inside)
    else:
        tl.store(d_x + target, gradient, mask=inside)
    # the last of these outputs are this block's own rows; before a sequence there are none
    target = d_taps + tl.program_id(0).to(tl.int64) * (WIDTH + 1) * channels + column
    place -= WIDTH - 1
    for k in tl.static_range(WIDTH):
        value = extended(
            x, x_stride, history, sequence, start, place + k, column, inside, channels, WIDTH
        )
        tl.store(target + k * channels, tl.sum(d_sum * value, axis=0)[None, :], mask=real)
    tl.store(target + WIDTH * channels, tl.sum(d_sum, axis=0)[None, :], mask=real)
