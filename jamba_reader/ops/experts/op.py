"""Routed experts and the int8 linear map: checks, choice of the implementation and gradients."""

from typing import Any

import torch
from jaxtyping import Float, Float32, Int8, Int64
from torch import Tensor
from torch.autograd.function import once_differentiable

from jamba_reader.ops.activation import ActivationName
from jamba_reader.ops.experts.operands import ExpertWeights
from jamba_reader.ops.experts.reference import int8_linear_reference, routed_experts_reference
from jamba_reader.ops.operand_checks import INTEGERS, check_dtype, check_floats
from jamba_reader.ops.selection import Implementation, compiled_for, select
from spider.errors import DataError


def routed_experts(
    x: Float[Tensor, "tokens hidden"],
    experts: ExpertWeights,
    expert_ids: Int64[Tensor, "tokens k"],
    expert_weights: Float[Tensor, "tokens k"],
    *,
    activation: ActivationName,
    implementation: Implementation = "auto",
) -> Float[Tensor, "tokens hidden"]:
    """Return ``sum_k w_tk * down_e(act(gate_e x_t) * up_e x_t)`` for each token t.

    Gradients go to x, to float weights and to ``expert_weights``; int8 weights have none.

    Args:
        x: inputs; rows may be a view of a wider matrix.
        experts: weights, in x's dtype or int8 with scales.
        expert_ids: experts of each token.
        expert_weights: their shares, used as they are: Jamba does not renormalise them.
        activation: the activation of the gate.
        implementation: which kernel; ``auto`` goes by device and dtype.

    Raises:
        DataError: weights and scales, dtypes, shapes or devices do not go together, or an id is
            out of range.
        ConfigError: the kernel asked for does not run here.
    """
    _check(x, experts, expert_ids, expert_weights)
    chosen = _choose("routed_experts", implementation, x)
    if chosen == "reference":
        return routed_experts_reference(
            x, experts, expert_ids, expert_weights, activation=activation
        )
    tensors = (x, experts.gate_up, experts.down, expert_weights)
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        scales = (experts.gate_up_scale, experts.down_scale)
        result: Tensor = _RoutedExperts.apply(*tensors, *scales, expert_ids, activation, chosen)  # type: ignore[no-untyped-call]
        return result
    y, _ = _kernels(chosen).forward(x, experts, expert_ids, expert_weights, activation, keep=False)
    return y  # type: ignore[no-any-return]


def int8_linear(
    x: Float[Tensor, "tokens input"],
    weight: Int8[Tensor, "output input"],
    scale: Float32[Tensor, " output"],
    *,
    implementation: Implementation = "auto",
) -> Float[Tensor, "tokens output"]:
    """Return ``(x @ weight.T) * scale``, sums in float32, scaled once; gradients go to x.

    Args:
        x: inputs.
        weight: rows of integers in -127..127.
        scale: the scale of each row.
        implementation: which kernel; ``auto`` goes by device and dtype.

    Raises:
        DataError: dtypes, shapes or devices do not go together.
        ConfigError: the kernel asked for does not run here.
    """
    check_floats("int8_linear", x=x)
    check_dtype("int8_linear", "weight", weight, torch.int8, device=x.device)
    check_dtype("int8_linear", "scale", scale, torch.float32, device=x.device)
    _check_shape("int8_linear", "weight", weight, (len(scale), x.shape[-1]))
    chosen = _choose("int8_linear", implementation, x)
    if chosen == "reference":
        return int8_linear_reference(x, weight, scale)
    if x.requires_grad and torch.is_grad_enabled():
        result: Tensor = _Int8Linear.apply(x, weight, scale, chosen)  # type: ignore[no-untyped-call]
        return result
    return _kernels(chosen).linear(x, weight, scale)  # type: ignore[no-any-return]


class _RoutedExperts(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        gate_up: Tensor,
        down: Tensor,
        expert_weights: Tensor,
        gate_up_scale: Tensor | None,
        down_scale: Tensor | None,
        expert_ids: Tensor,
        activation: ActivationName,
        chosen: str,
    ) -> Tensor:
        experts = ExpertWeights(gate_up, down, gate_up_scale, down_scale)
        y, kept = _kernels(chosen).forward(
            x, experts, expert_ids, expert_weights, activation, keep=True
        )
        # saved with autograd: gradient checkpointing frees only what autograd saves
        ctx.save_for_backward(
            x, gate_up, down, expert_weights, gate_up_scale, down_scale, kept.gate_up
        )
        ctx.routing = kept.routing
        ctx.activation, ctx.chosen = activation, chosen
        return y  # type: ignore[no-any-return]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        x, gate_up, down, expert_weights, *scales, products = ctx.saved_tensors
        of_x, of_gate_up, of_down = ctx.needs_input_grad[:3]
        kernels = _kernels(ctx.chosen)
        grads = kernels.backward(
            upstream.contiguous(),
            kernels.Kept(ctx.routing, products),
            x,
            ExpertWeights(gate_up, down, *scales),
            expert_weights,
            ctx.activation,
            of_x=of_x,
            of_weights=of_gate_up or of_down,
        )
        return (*grads, None, None, None, None, None)


class _Int8Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, scale: Tensor, chosen: str) -> Tensor:
        ctx.save_for_backward(weight, scale)
        return _kernels(chosen).linear(x, weight, scale)  # type: ignore[no-any-return]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        weight, scale = ctx.saved_tensors
        scaled = (upstream * scale).to(upstream.dtype)
        return torch.mm(scaled, weight.to(upstream.dtype)), None, None, None


def _choose(operation: str, implementation: Implementation, x: Tensor) -> str:
    available = compiled_for(x.dtype)
    return select(operation, implementation, device=x.device, dtype=x.dtype, available=available)


def _kernels(chosen: str) -> Any:
    if chosen == "cpu":
        from jamba_reader.ops.experts.cpu import launch as cpu

        return cpu
    from jamba_reader.ops.experts.gpu import launch as gpu

    return gpu


def _check(x: Tensor, experts: ExpertWeights, expert_ids: Tensor, expert_weights: Tensor) -> None:
    """Refuse dtypes, devices and shapes that do not fit: kernels read by address."""
    operation, (gate_up, down, *scales) = "routed_experts", experts
    check_floats(operation, x=x, expert_weights=expert_weights)
    check_dtype(operation, "expert_ids", expert_ids, *INTEGERS, device=x.device)
    int8 = gate_up.dtype == torch.int8
    if any(int8 != (scale is not None) for scale in scales):
        raise DataError(
            f"expert weights are {gate_up.dtype} and scales are "
            f"{'missing' if scales[0] is None else 'given'}: expected scales with "
            "int8 weights and with no others"
        )
    if not int8 and gate_up.dtype != x.dtype:
        raise DataError(
            f"expert weights are {gate_up.dtype} and their inputs {x.dtype}: expected the "
            "same, or int8 weights with scales"
        )
    check_dtype(operation, "gate_up", gate_up, gate_up.dtype, device=x.device)
    check_dtype(operation, "down", down, gate_up.dtype, device=x.device)
    count, hidden, width = down.shape
    _check_shape(operation, "gate_up", gate_up, (count, 2 * width, hidden))
    _check_shape(operation, "x", x, (len(expert_ids), hidden))
    _check_shape(operation, "expert_weights", expert_weights, tuple(expert_ids.shape))
    for name, scale, rows in zip(
        ("gate_up_scale", "down_scale"), scales, (2 * width, hidden), strict=True
    ):
        if scale is not None:
            check_dtype(operation, name, scale, torch.float32, device=x.device)
            _check_shape(operation, name, scale, (count, rows))


def _check_shape(operation: str, name: str, tensor: Tensor, expected: tuple[int, ...]) -> None:
    if tuple(tensor.shape) != expected:
        raise DataError(f"{operation}: {name} has shape {tuple(tensor.shape)}, expected {expected}")
