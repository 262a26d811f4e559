"""The gated activation: checks, choice of the implementation and gradients."""

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from jamba_reader.ops.activation import ActivationName, activation_code
from jamba_reader.ops.gated_activation import reference
from jamba_reader.ops.operand_checks import check_floats
from jamba_reader.ops.selection import Implementation, compiled_for, select
from spider.errors import DataError


def gated_activation(
    gate_up: Float[Tensor, "tokens gate_and_up"],
    *,
    activation: ActivationName,
    implementation: Implementation = "auto",
) -> Float[Tensor, "tokens intermediate"]:
    """Multiply the activated left half by the right half, in one pass.

    Both are taken to float32 and the product is rounded once.

    Source: Shazeer, "GLU Variants Improve Transformer" (2020), equation 5.

    Args:
        gate_up: gate columns, then as many up columns; rows may be strided.
        activation: the activation of the gate.
        implementation: which kernel; ``auto`` goes by device and dtype.

    Raises:
        ConfigError: the implementation does not run here, or no such activation.
        DataError: an odd number of columns, or a wrong dtype.
    """
    check_floats("gated_activation", gate_up=gate_up)
    if gate_up.shape[1] % 2:
        raise DataError(
            f"gated_activation: {gate_up.shape[1]} columns, expected an even number: gate and up"
        )
    code = activation_code(activation)
    chosen = select(
        "gated_activation",
        implementation,
        device=gate_up.device,
        dtype=gate_up.dtype,
        available=compiled_for(gate_up.dtype),
    )
    if chosen == "reference":
        return reference.gated_activation(gate_up, activation)
    kernels = _kernels(chosen)
    if torch.is_grad_enabled() and gate_up.requires_grad:
        y: Tensor = _Differentiable.apply(gate_up, code, kernels)  # type: ignore[no-untyped-call]
    else:
        y = kernels.forward(_rows(gate_up), code)
    return y


@cache
def _kernels(chosen: str) -> ModuleType:
    name = {"cpu": "cpu.launch", "triton": "gpu.launch"}[chosen]
    return import_module(f"jamba_reader.ops.gated_activation.{name}")


def _rows(x: Tensor) -> Tensor:
    return x if x.stride(1) == 1 else x.contiguous()


class _Differentiable(torch.autograd.Function):
    """The gated activation with its kernels' own backward pass."""

    @staticmethod
    def forward(ctx: Any, gate_up: Tensor, code: int, kernels: ModuleType) -> Tensor:
        gate_up = _rows(gate_up)
        ctx.save_for_backward(gate_up)
        ctx.code, ctx.kernels = code, kernels
        y: Tensor = kernels.forward(gate_up, code)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_y: Tensor) -> tuple[Tensor | None, ...]:
        (gate_up,) = ctx.saved_tensors
        return ctx.kernels.backward(_rows(d_y), gate_up, ctx.code), None, None
