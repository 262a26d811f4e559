"""A kernel's forward and backward scan as one differentiable function."""

from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.operands import ScanInputs, ScanOutput


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(
        record: Any,
        kernel: ModuleType,
        segments: Segments,
        snapshot_every: int | None,
        *tensors: Any,
    ) -> tuple[Tensor | None, ...]:
        """Scan, keeping the states before every block."""
        output, blocks = kernel.scan(
            ScanInputs(*tensors), segments, snapshot_every, keep_blocks=True
        )
        record.set_materialize_grads(False)
        record.save_for_backward(blocks, *tensors)
        record.kernel, record.segments = kernel, segments
        if output.snapshots is not None:
            record.mark_non_differentiable(output.snapshots)
        return tuple(output)

    @staticmethod
    @once_differentiable
    def backward(
        record: Any, dy: Tensor | None, dfinal: Tensor | None, _: Tensor | None
    ) -> tuple[Any, ...]:
        """Scan backward from the kept states."""
        blocks, *tensors = record.saved_tensors
        inputs = ScanInputs(*tensors)
        if dy is None:
            dy = torch.zeros_like(inputs.x)
        gradients = record.kernel.scan_gradients(inputs, record.segments, blocks, dy, dfinal)
        cast = (
            None if tensor is None else gradient.to(tensor.dtype)
            for gradient, tensor in zip(gradients, inputs, strict=True)
        )
        return (None, None, None, *cast)


def scan_with(
    kernel: ModuleType, inputs: ScanInputs, segments: Segments, snapshot_every: int | None
) -> ScanOutput:
    """Scan with a kernel, recording how to go backward only where a gradient is wanted.

    Args:
        kernel: a module with ``scan`` and ``scan_gradients``.
        inputs: the tensors.
        segments: whose rows belong to which sequence.
        snapshot_every: tokens between two snapshots of the state.
    """
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in inputs):
        outputs = _Scan.apply(kernel, segments, snapshot_every, *inputs)  # type: ignore[no-untyped-call]
        return ScanOutput(*outputs)
    output, _ = kernel.scan(inputs, segments, snapshot_every, keep_blocks=False)
    return output  # type: ignore[no-any-return]
