"""The gated activation on a CPU: calls of the numba kernels."""

import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.gated_activation.cpu.backward import differentiate, differentiate_in_parallel
from jamba_reader.ops.gated_activation.cpu.forward import activate, activate_in_parallel
from jamba_reader.ops.machine.operands import element_of
from jamba_reader.ops.machine.threads import parts_of


def forward(
    gate_up: Float[Tensor, "tokens gate_and_up"], code: int
) -> Float[Tensor, "tokens intermediate"]:
    """Return the activated gate times up.

    Args:
        gate_up: gate columns, then as many up columns.
        code: number of the activation.
    """
    rows, width = gate_up.shape[0], gate_up.shape[1] // 2
    y = torch.empty((rows, width), dtype=gate_up.dtype, device="cpu")
    parts = parts_of(y.numel())
    (activate if parts == 1 else activate_in_parallel)(
        0,
        parts,
        element_of(gate_up.dtype),
        gate_up.data_ptr(),
        gate_up.stride(0),
        rows,
        width,
        y.data_ptr(),
        code,
    )
    return y


def backward(
    d_y: Float[Tensor, "tokens intermediate"],
    gate_up: Float[Tensor, "tokens gate_and_up"],
    code: int,
) -> Float[Tensor, "tokens gate_and_up"]:
    """Return the gradient of ``gate_up``."""
    rows, width = d_y.shape
    d_gate_up = torch.empty(gate_up.shape, dtype=gate_up.dtype, device="cpu")
    parts = parts_of(d_gate_up.numel())
    (differentiate if parts == 1 else differentiate_in_parallel)(
        0,
        parts,
        element_of(gate_up.dtype),
        d_y.data_ptr(),
        d_y.stride(0),
        gate_up.data_ptr(),
        gate_up.stride(0),
        rows,
        width,
        d_gate_up.data_ptr(),
        code,
    )
    return d_gate_up
