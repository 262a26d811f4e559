"""The door to the selective scan: checks the operands and picks the implementation."""

# ruff: noqa: N803
# A, B, C and D are the names of these matrices in the literature

import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selection import Implementation, select
from jamba_reader.ops.selective_scan.cpu import launch as cpu
from jamba_reader.ops.selective_scan.differentiable import scan_with
from jamba_reader.ops.selective_scan.gpu import cuda_package as mamba_ssm_kernel
from jamba_reader.ops.selective_scan.operands import ScanInputs, ScanOutput, check_inputs
from jamba_reader.ops.selective_scan.reference import selective_scan_reference
from spider.errors import DataError

_AVAILABLE: dict[torch.dtype, tuple[str, ...]] = {
    torch.float32: ("reference", "cpu", "triton"),
    torch.bfloat16: ("reference", "cpu", "triton"),
    torch.float16: ("reference", "triton"),
}


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
    snapshot_every: int | None = None,
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
        initial_state: of each sequence; zeros where None.
        snapshot_every: tokens between two snapshots of the state.
        implementation: which kernel runs.
    """
    inputs = ScanInputs(x, dt, A, B, C, D, dt_bias, gate, initial_state)
    check_inputs(inputs, segments.total, len(segments))
    if snapshot_every is not None and snapshot_every < 1:
        raise DataError(f"selective_scan: snapshot_every is {snapshot_every}, expected 1 or more")
    available = _AVAILABLE.get(x.dtype, ("reference",))
    if x.is_cuda and mamba_ssm_kernel.can_scan(inputs, segments, snapshot_every):
        available = (*available, "mamba_ssm")
    chosen = select(
        "selective_scan", implementation, device=x.device, dtype=x.dtype, available=available
    )
    if chosen == "mamba_ssm":
        return mamba_ssm_kernel.scan(inputs, segments)
    if chosen == "triton":
        # not at the top: without Triton the rest of the door still opens
        from jamba_reader.ops.selective_scan.gpu import launch as gpu

        return scan_with(gpu, inputs, segments, snapshot_every)
    if chosen == "cpu":
        return scan_with(cpu, inputs, segments, snapshot_every)
    return selective_scan_reference(inputs, segments, snapshot_every)
