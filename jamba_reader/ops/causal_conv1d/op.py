"""The causal convolution: checks, choice of the implementation and gradients."""

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from jamba_reader.ops.activation import ActivationName, activation_code
from jamba_reader.ops.causal_conv1d import reference
from jamba_reader.ops.causal_conv1d.gpu import cuda_package
from jamba_reader.ops.operand_checks import check_floats
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selection import Implementation, compiled_for, select
from spider.errors import DataError


def causal_conv1d(
    x: Float[Tensor, "tokens channels"],
    weight: Float[Tensor, "channels width"],
    bias: Float[Tensor, " channels"] | None,
    segments: Segments,
    history: Float[Tensor, "sequences width-1 channels"] | None = None,
    *,
    activation: ActivationName | None,
    implementation: Implementation = "auto",
) -> tuple[Float[Tensor, "tokens channels"], Float[Tensor, "sequences width-1 channels"]]:
    """Convolve each packed sequence with its past, channel by channel, and apply an activation.

    Sums and activation are in float32 and rounded once. Splitting a sequence over calls, with the
    history handed on, changes no bit.

    Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces" (2023),
    section 3.4.

    Args:
        x: packed inputs; rows may be strided, as a slice of a wider matrix is.
        weight: taps, oldest first.
        bias: added to every output.
        segments: which rows belong together; sequences may be empty.
        history: the ``width - 1`` inputs before each sequence, oldest first; zeros if None.
        activation: applied to the output.
        implementation: which kernel; ``auto`` goes by device and dtype, and takes the package
            ``causal-conv1d`` on CUDA where it is installed and does this case (``mamba_ssm``).

    Returns:
        Outputs, and the history for the next call: each sequence's last ``width - 1`` inputs,
        shifted into its old history where it is shorter than that.

    Raises:
        ConfigError: the implementation does not run here, or no such activation.
        DataError: the segments, the history or the bias are not those of ``x`` and ``weight``, or a
            dtype or device is wrong.
    """
    _check(x, weight, bias, segments, history)
    code = activation_code(activation)
    chosen = select(
        "causal_conv1d",
        implementation,
        device=x.device,
        dtype=x.dtype,
        available=_available(x, weight, segments, activation),
    )
    if chosen == "reference":
        return reference.causal_conv1d(x, weight, bias, segments, history, activation)
    if history is not None and history.dtype != x.dtype:
        history = history.to(x.dtype)
    if chosen == "mamba_ssm":
        return cuda_package.causal_conv1d(x, weight, bias, history, activation)
    kernels = _kernels(chosen)
    if torch.is_grad_enabled() and (
        x.requires_grad
        or weight.requires_grad
        or (bias is not None and bias.requires_grad)
        or (history is not None and history.requires_grad)
    ):
        outputs: tuple[Tensor, Tensor] = _Differentiable.apply(  # type: ignore[no-untyped-call]
            x, weight, bias, history, segments, code, kernels
        )
    else:
        outputs = kernels.forward(*_rows(x, weight, bias), segments, _dense(history), code)
    return outputs


def _check(
    x: Tensor, weight: Tensor, bias: Tensor | None, segments: Segments, history: Tensor | None
) -> None:
    """Refuse dtypes and shapes that do not fit: kernels read by address."""
    check_floats("causal_conv1d", x=x, weight=weight, bias=bias, history=history)
    channels, width = weight.shape
    if bias is not None and bias.shape != (channels,):
        raise DataError(
            f"causal_conv1d: bias of shape {tuple(bias.shape)}, expected {(channels,)} by its "
            "weight"
        )
    if x.shape != (segments.total, channels):
        raise DataError(
            f"causal_conv1d: x of shape {tuple(x.shape)}, expected {(segments.total, channels)} "
            "by its segments and weight"
        )
    if history is not None and history.shape != (len(segments), width - 1, channels):
        raise DataError(
            f"causal_conv1d: history of shape {tuple(history.shape)}, expected "
            f"{(len(segments), width - 1, channels)} by its segments and weight"
        )


def _available(
    x: Tensor, weight: Tensor, segments: Segments, activation: ActivationName | None
) -> tuple[str, ...]:
    if x.is_cuda:
        if cuda_package.does(x, weight, segments, activation):
            return ("reference", "triton", "mamba_ssm")
        return ("reference", "triton")
    return compiled_for(x.dtype, weight.dtype)


@cache
def _kernels(chosen: str) -> ModuleType:
    name = {"cpu": "cpu.launch", "triton": "gpu.launch"}[chosen]
    return import_module(f"jamba_reader.ops.causal_conv1d.{name}")


def _dense(tensor: Tensor | None) -> Tensor | None:
    return tensor if tensor is None or tensor.is_contiguous() else tensor.contiguous()


def _rows(x: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Lay tensors out as kernels take them: rows of x may be strided, the rest is dense."""
    if bias is not None and bias.dtype != weight.dtype:
        bias = bias.to(weight.dtype)
    return x if x.stride(1) == 1 else x.contiguous(), weight.contiguous(), _dense(bias)


class _Differentiable(torch.autograd.Function):
    """The convolution with its kernels' own backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        history: Tensor | None,
        segments: Segments,
        code: int,
        kernels: ModuleType,
    ) -> tuple[Tensor, Tensor]:
        x, weight, bias = _rows(x, weight, bias)
        history = _dense(history)
        ctx.save_for_backward(x, weight, bias, history)
        ctx.segments, ctx.code, ctx.kernels = segments, code, kernels
        ctx.set_materialize_grads(False)
        outputs: tuple[Tensor, Tensor] = kernels.forward(x, weight, bias, segments, history, code)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_y: Tensor | None, d_final: Tensor | None) -> tuple[Tensor | None, ...]:
        x, weight, bias, history = ctx.saved_tensors
        d_y = torch.zeros_like(x) if d_y is None else d_y
        d_x, d_weight, d_bias, d_history = ctx.kernels.backward(
            d_y if d_y.stride(1) == 1 else d_y.contiguous(),
            _dense(d_final),
            x,
            weight,
            bias,
            ctx.segments,
            history,
            ctx.code,
        )
        return (
            d_x,
            d_weight,
            None if bias is None else d_bias,
            None if history is None else d_history,
            None,
            None,
            None,
        )
