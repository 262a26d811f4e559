"""The selective scan: checks, choice of the implementation and gradients."""

# ruff: noqa: N803
# A, B, C and D are the names of these matrices in the literature

from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selection import Implementation, compiled_for, select
from jamba_reader.ops.selective_scan.cpu import launch as cpu
from jamba_reader.ops.selective_scan.gpu import cuda_package
from jamba_reader.ops.selective_scan.operands import ScanInputs, ScanOutput, check_inputs
from jamba_reader.ops.selective_scan.reference import selective_scan_reference


def selective_scan(
    x: Float[Tensor, "tokens channels"],
    dt: Float[Tensor, "tokens channels"],
    A: Float[Tensor, "channels states"],
    B: Float[Tensor, "tokens states"],
    C: Float[Tensor, "tokens states"],
    D: Float[Tensor, " channels"],
    dt_bias: Float[Tensor, " channels"],
    gate: Float[Tensor, "tokens channels"] | None,
    segments: Segments,
    initial_state: Float[Tensor, "sequences channels states"] | None = None,
    *,
    implementation: Implementation = "auto",
) -> ScanOutput:
    """Scan packed sequences, each from its own initial state.

    Args:
        x: inputs of the scan, sequence after sequence.
        dt: step sizes before bias and softplus.
        A: rates of decay, negative.
        B: how each token writes to the states.
        C: how each token reads the states.
        D: weight of the skip connection.
        dt_bias: added to ``dt``.
        gate: multiplies the output through SiLU.
        segments: whose rows belong to which sequence.
        initial_state: the state of each sequence before its first token; zeros where None.
        implementation: which kernel runs.
    """
    inputs = ScanInputs(x, dt, A, B, C, D, dt_bias, gate, initial_state)
    check_inputs(inputs, segments.total, len(segments))
    available = compiled_for(x.dtype)
    if x.is_cuda and cuda_package.can_scan(inputs, segments):
        available = (*available, "mamba_ssm")
    chosen = select(
        "selective_scan", implementation, device=x.device, dtype=x.dtype, available=available
    )
    if chosen == "mamba_ssm":
        return cuda_package.scan(inputs, segments)
    if chosen == "triton":
        # imported here: the other implementations run without Triton
        from jamba_reader.ops.selective_scan.gpu import launch as gpu

        return _scan_with(gpu, inputs, segments)
    if chosen == "cpu":
        return _scan_with(cpu, inputs, segments)
    return selective_scan_reference(inputs, segments)


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        kernel: ModuleType,
        segments: Segments,
        *tensors: Any,
    ) -> tuple[Tensor | None, ...]:
        """Scan, keeping the states before every block."""
        output, blocks = kernel.scan(ScanInputs(*tensors), segments, keep_blocks=True)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(blocks, *tensors)
        ctx.kernel, ctx.segments = kernel, segments
        return tuple(output)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor | None, dfinal: Tensor | None) -> tuple[Any, ...]:
        """Scan backward from the kept states."""
        blocks, *tensors = ctx.saved_tensors
        inputs = ScanInputs(*tensors)
        if dy is None:
            dy = torch.zeros_like(inputs.x)
        gradients = ctx.kernel.scan_gradients(inputs, ctx.segments, blocks, dy, dfinal)
        cast = (
            None if tensor is None else gradient.to(tensor.dtype)
            for gradient, tensor in zip(gradients, inputs, strict=True)
        )
        return (None, None, *cast)


def _scan_with(kernel: ModuleType, inputs: ScanInputs, segments: Segments) -> ScanOutput:
    """Scan with a kernel, recording how to go backward only where a gradient is wanted.

    Args:
        kernel: a module with ``scan`` and ``scan_gradients``.
        inputs: the tensors.
        segments: whose rows belong to which sequence.
    """
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in inputs):
        outputs = _Scan.apply(kernel, segments, *inputs)  # type: ignore[no-untyped-call]
        return ScanOutput(*outputs)
    output, _ = kernel.scan(inputs, segments, keep_blocks=False)
    return output  # type: ignore[no-any-return]
