"""The convolution in Triton, forward and backward, over packed rows of any number of sequences.

A program takes a block of rows and of channels; it looks up each row's sequence by bisection, so
no map of blocks to sequences is made or copied.
"""

from typing import no_type_check

import torch
import triton
import triton.language as tl
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.causal_conv1d.gpu.rows import extended, locate, sums
from jamba_reader.ops.machine.triton_math import activate, activation_gradient
from jamba_reader.ops.segments import Segments

ROWS = 32
COLUMNS = 128


def forward(
    x: Float[Tensor, "tokens channels"],
    weight: Float[Tensor, "channels width"],
    bias: Float[Tensor, " channels"] | None,
    segments: Segments,
    history: Float[Tensor, "sequences width-1 channels"] | None,
    code: int,
) -> tuple[Float[Tensor, "tokens channels"], Float[Tensor, "sequences width-1 channels"]]:
    """Return outputs and final history, as ``reference.causal_conv1d`` does.

    Args:
        x: packed inputs, rows may be strided.
        weight: taps, oldest first.
        bias: added to every output.
        segments: which rows belong together.
        history: inputs before each sequence; zeros if None.
        code: number of the activation.
    """
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    final = _histories(x, weight, segments)
    if y.numel() or final.numel():
        grid, sizes = _launch(x, weight, segments)
        _forward[grid](
            x,
            x.stride(0),
            weight,
            bias,
            history,
            segments.starts_on(x.device),
            len(segments),
            x.shape[0],
            x.shape[1],
            y,
            final,
            CODE=code,
            **sizes,
        )
    return y, final


def backward(
    d_y: Float[Tensor, "tokens channels"],
    d_final: Float[Tensor, "sequences past channels"] | None,
    x: Float[Tensor, "tokens channels"],
    weight: Float[Tensor, "channels width"],
    bias: Float[Tensor, " channels"] | None,
    segments: Segments,
    history: Float[Tensor, "sequences width-1 channels"] | None,
    code: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of x, weight, bias and history, each in the dtype of what it is of.

    Args:
        d_y: gradient of the outputs.
        d_final: gradient of the final history; None for zeros.
        x: packed inputs, rows may be strided.
        weight: taps, oldest first.
        bias: added to every output.
        segments: which rows belong together.
        history: inputs before each sequence; zeros if None.
        code: number of the activation.
    """
    channels, width = weight.shape
    d_x = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    d_history = _histories(x, weight, segments)
    grid, sizes = _launch(x, weight, segments)
    d_taps = torch.zeros((grid[0], width + 1, channels), dtype=torch.float32, device=x.device)
    if d_x.numel() or d_history.numel():
        _backward[grid](
            d_y,
            d_y.stride(0),
            d_final,
            x,
            x.stride(0),
            weight,
            bias,
            history,
            segments.starts_on(x.device),
            len(segments),
            x.shape[0],
            channels,
            d_x,
            d_history,
            d_taps,
            CODE=code,
            **sizes,
        )
    total = d_taps.sum(0).to(weight.dtype)
    return d_x, total[:width].t(), total[width], d_history


def _histories(x: Tensor, weight: Tensor, segments: Segments) -> Tensor:
    channels, width = weight.shape
    return torch.empty((len(segments), width - 1, channels), dtype=x.dtype, device=x.device)


def _launch(
    x: Tensor, weight: Tensor, segments: Segments
) -> tuple[tuple[int, int], dict[str, int]]:
    """Return the grid, and the sizes that are compiled in.

    The first programs take the rows of the packed tensor, the others those of the histories.
    """
    channels, width = weight.shape
    of_histories = len(segments) * (width - 1)
    rows = min(ROWS, triton.next_power_of_2(max(x.shape[0], of_histories, 1)))
    columns = min(COLUMNS, triton.next_power_of_2(channels))
    token_blocks = triton.cdiv(x.shape[0], rows)
    grid = (token_blocks + triton.cdiv(of_histories, rows), triton.cdiv(channels, columns))
    steps = (len(segments) - 1).bit_length()
    return grid, {"WIDTH": width, "STEPS": steps, "ROWS": rows, "COLUMNS": columns}


@triton.jit
@no_type_check
def _forward(
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


@triton.jit
@no_type_check
def _backward(
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
    is_history, row, sequence, place, exists = locate(starts, sequences, tokens, WIDTH, STEPS, ROWS)
    start = tl.load(starts + sequence)[:, None]
    length = tl.load(starts + sequence + 1)[:, None] - start
    sequence, place, exists = sequence[:, None], place[:, None], exists[:, None]
    column = (tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS))[None, :]
    real = column < channels
    inside = exists & real
    # of extended rows: what the outputs they reach give, and the final history
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
