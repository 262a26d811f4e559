"""The convolution on a CPU: hands tensors to the numba kernels by address."""

import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.causal_conv1d.cpu.backward import differentiate, differentiate_in_parallel
from jamba_reader.ops.causal_conv1d.cpu.forward import convolve, convolve_in_parallel
from jamba_reader.ops.machine.operands import element_of
from jamba_reader.ops.machine.threads import parts_of
from jamba_reader.ops.segments import Segments


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
    channels, width = weight.shape
    y = torch.empty(x.shape, dtype=x.dtype, device="cpu")
    final = torch.empty((len(segments), width - 1, channels), dtype=x.dtype, device="cpu")
    parts = parts_of(y.numel())
    (convolve if parts == 1 else convolve_in_parallel)(
        0,
        parts,
        element_of(x.dtype),
        element_of(weight.dtype),
        x.data_ptr(),
        x.stride(0),
        weight.data_ptr(),
        0 if bias is None else bias.data_ptr(),
        width,
        0 if history is None else history.data_ptr(),
        segments.starts_on("cpu").data_ptr(),
        len(segments),
        channels,
        y.data_ptr(),
        final.data_ptr(),
        code,
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
    d_x = torch.empty(x.shape, dtype=x.dtype, device="cpu")
    d_history = torch.empty((len(segments), width - 1, channels), dtype=x.dtype, device="cpu")
    d_taps = torch.empty((width + 1, channels), dtype=torch.float32, device="cpu")
    parts = parts_of(d_x.numel())
    (differentiate if parts == 1 else differentiate_in_parallel)(
        0,
        parts,
        element_of(x.dtype),
        element_of(weight.dtype),
        d_y.data_ptr(),
        d_y.stride(0),
        0 if d_final is None else d_final.data_ptr(),
        x.data_ptr(),
        x.stride(0),
        weight.data_ptr(),
        0 if bias is None else bias.data_ptr(),
        width,
        0 if history is None else history.data_ptr(),
        segments.starts_on("cpu").data_ptr(),
        len(segments),
        channels,
        d_x.data_ptr(),
        d_history.data_ptr(),
        d_taps.data_ptr(),
        code,
    )
    return d_x, d_taps[:width].t().to(weight.dtype), d_taps[width].to(weight.dtype), d_history
