"""The CUDA kernel of the package mamba-ssm, for the calls that it can do.

It scans ``[batch, channels, tokens]`` from zero states and ignores the gradient of the final ones
(``csrc/selective_scan`` of mamba-ssm). So it serves calls without gradients, initial states and
snapshots, on sequences of one length. Since July 2026 the package is built without it by default:
``is_installed`` looks for its extension ``selective_scan_cuda``.
"""

# ruff: noqa: N806

from functools import cache
from importlib.util import find_spec

import torch

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.operands import ScanInputs, ScanOutput

_MOST_STATES = 256


@cache
def is_installed() -> bool:
    """Return whether the package and its kernel are installed, without importing them."""
    return find_spec("mamba_ssm") is not None and find_spec("selective_scan_cuda") is not None


def can_scan(inputs: ScanInputs, segments: Segments) -> bool:
    """Return whether the kernel can do this call."""
    wanted = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in inputs)
    rows = (inputs.dt, inputs.B, inputs.C, inputs.x if inputs.gate is None else inputs.gate)
    return (
        inputs.x.is_cuda
        and is_installed()
        and not wanted
        and inputs.initial_state is None
        and len(set(segments.lengths)) == 1
        and segments.total > 0
        and inputs.A.shape[1] <= _MOST_STATES
        and all(tensor.dtype == inputs.x.dtype for tensor in rows)
    )


def scan(inputs: ScanInputs, segments: Segments) -> ScanOutput:
    """Scan forward what ``can_scan`` allows.

    Args:
        inputs: the tensors.
        segments: sequences of one length.
    """
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    x, dt, A, B, C, D, dt_bias, gate, _ = inputs
    shape = len(segments), segments.lengths[0]
    x, dt, B, C = (t.reshape(*shape, -1).transpose(1, 2).contiguous() for t in (x, dt, B, C))
    if gate is not None:
        gate = gate.reshape(*shape, -1).transpose(1, 2).contiguous()
    y, final_state = selective_scan_fn(
        x,
        dt,
        A.float(),
        B,
        C,
        D.float(),
        z=gate,
        delta_bias=dt_bias.float(),
        delta_softplus=True,
        return_last_state=True,
    )
    return ScanOutput(y.transpose(1, 2).flatten(0, 1), final_state.float())
