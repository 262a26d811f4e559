"""The door to the selective scan: checks the operands and picks the implementation."""

from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.selection import Implementation, select
from jamba_reader.ops.selective_scan.reference import ScanOutput, selective_scan_reference
from jamba_reader.segments import Segments


def selective_scan(
    x: Float[Tensor, "tokens channels"],
    dt: Float[Tensor, "tokens channels"],
    A: Float[Tensor, "channels states"],  # noqa: N803
    B: Float[Tensor, "tokens states"],  # noqa: N803
    C: Float[Tensor, "tokens states"],  # noqa: N803
    D: Float[Tensor, " channels"],  # noqa: N803
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
    select(
        "selective_scan", implementation, device=x.device, dtype=x.dtype, available=("reference",)
    )
    return selective_scan_reference(
        x, dt, A, B, C, D, dt_bias, gate, segments, initial_state, snapshot_every=snapshot_every
    )
