"""Root-mean-square normalisation: checks, choice of the implementation and gradients."""

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from jamba_reader.ops.operand_checks import check_floats
from jamba_reader.ops.rms_norm import reference
from jamba_reader.ops.selection import Implementation, compiled_for, select
from spider.errors import DataError


def rms_norm(
    x: Float[Tensor, "tokens width"],
    weight: Float[Tensor, " width"],
    eps: float,
    *,
    implementation: Implementation = "auto",
) -> Float[Tensor, "tokens width"]:
    """Divide each row by its root mean square and scale it.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019), equation 4; rounded
    to the dtype of ``x`` before the weight multiplies, as Llama and Jamba do.

    Args:
        x: rows to normalise; may be strided, as a slice of a wider matrix is.
        weight: scale of each column.
        eps: added to the mean square.
        implementation: which kernel; ``auto`` goes by device and dtype. A weight of another dtype
            than ``x`` takes the reference whatever is asked for.

    Raises:
        ConfigError: the implementation does not run here.
        DataError: the weight has another width than ``x``, or a dtype or device is wrong.
    """
    check_floats("rms_norm", x=x, weight=weight)
    kernels = _kernels_for("rms_norm", x, weight, implementation)
    if kernels is None:
        return reference.rms_norm(x, weight, eps)
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
        y: Tensor = _Differentiable.apply(x, None, weight, eps, kernels)  # type: ignore[no-untyped-call]
    else:
        y, _ = kernels.forward(_rows(x), None, weight.contiguous(), eps)
    return y


def add_rms_norm(
    x: Float[Tensor, "tokens width"],
    residual: Float[Tensor, "tokens width"],
    weight: Float[Tensor, " width"],
    eps: float,
    *,
    implementation: Implementation = "auto",
) -> tuple[Float[Tensor, "tokens width"], Float[Tensor, "tokens width"]]:
    """Add the residual and normalise the sum in one pass.

    Args:
        x: output of a layer.
        residual: what flows past it.
        weight: scale of each column.
        eps: added to the mean square.
        implementation: as in ``rms_norm``; the residual's dtype counts as the weight's does.

    Returns:
        The normalised sum, and the sum, rounded to the dtype of ``x`` before it is normalised.

    Raises:
        ConfigError: the implementation does not run here.
        DataError: the shapes of ``x``, the residual and the weight disagree, or a dtype or
            device is wrong.
    """
    check_floats("add_rms_norm", x=x, residual=residual, weight=weight)
    if residual.shape != x.shape:
        raise DataError(
            f"add_rms_norm: residual of shape {tuple(residual.shape)}, expected {tuple(x.shape)}"
        )
    kernels = _kernels_for("add_rms_norm", x, weight, implementation)
    if kernels is None or residual.dtype != x.dtype:
        return reference.add_rms_norm(x, residual, weight, eps)
    if torch.is_grad_enabled() and (
        x.requires_grad or residual.requires_grad or weight.requires_grad
    ):
        outputs: tuple[Tensor, Tensor] = _Differentiable.apply(  # type: ignore[no-untyped-call]
            x, residual, weight, eps, kernels
        )
    else:
        outputs = kernels.forward(_rows(x), _rows(residual), weight.contiguous(), eps)
    return outputs


def _kernels_for(
    operation: str, x: Tensor, weight: Tensor, implementation: Implementation
) -> ModuleType | None:
    """Return the chosen kernels' module; None for the reference."""
    if weight.shape[0] != x.shape[1]:
        raise DataError(f"{operation}: weight of width {weight.shape[0]}, expected {x.shape[1]}")
    mixed = weight.dtype != x.dtype
    available: tuple[str, ...] = ("reference", "cpu", "triton")
    if mixed and implementation == "auto":
        available = ("reference",)
    elif not mixed:
        available = compiled_for(x.dtype)
    chosen = select(operation, implementation, device=x.device, dtype=x.dtype, available=available)
    # the product is then in the wider dtype, which is rare: torch computes it
    return None if mixed or chosen == "reference" else _kernels(chosen)


@cache
def _kernels(chosen: str) -> ModuleType:
    name = {"cpu": "cpu.launch", "triton": "gpu.launch"}[chosen]
    return import_module(f"jamba_reader.ops.rms_norm.{name}")


def _rows(x: Tensor) -> Tensor:
    return x if x.stride(1) == 1 else x.contiguous()


class _Differentiable(torch.autograd.Function):
    """The normalisation, of x or of x + residual, with its kernels' own backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        residual: Tensor | None,
        weight: Tensor,
        eps: float,
        kernels: ModuleType,
    ) -> Tensor | tuple[Tensor, Tensor]:
        weight = weight.contiguous()
        residual = None if residual is None else _rows(residual)
        y, total = kernels.forward(_rows(x), residual, weight, eps)
        ctx.save_for_backward(total, weight)
        ctx.eps, ctx.kernels, ctx.adds = eps, kernels, residual is not None
        ctx.set_materialize_grads(False)
        return y if residual is None else (y, total)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_y: Tensor | None, d_total: Tensor | None = None
    ) -> tuple[Tensor | None, ...]:
        if d_y is None:
            return d_total, d_total if ctx.adds else None, None, None, None
        total, weight = ctx.saved_tensors
        d_total = None if d_total is None else _rows(d_total)
        d_x, d_weight = ctx.kernels.backward(_rows(d_y), d_total, total, weight, ctx.eps)
        return d_x, d_x if ctx.adds else None, d_weight, None, None
