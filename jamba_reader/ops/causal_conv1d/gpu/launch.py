"""The convolution in Triton, forward and backward, over packed rows of any number of sequences.

A program takes a block of rows and of channels; it looks up each row's sequence by bisection, so
no map of blocks to sequences is made or copied.
"""

import torch
import triton
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.causal_conv1d.gpu.backward import backward_kernel
from jamba_reader.ops.causal_conv1d.gpu.forward import forward_kernel
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
        forward_kernel[grid](
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
        backward_kernel[grid](
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
