"""The gated activation on a GPU: calls of the Triton kernels."""

import torch
import triton
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.gated_activation.gpu.backward import backward_kernel
from jamba_reader.ops.gated_activation.gpu.forward import forward_kernel


def forward(
    gate_up: Float[Tensor, "tokens gate_and_up"], code: int
) -> Float[Tensor, "tokens intermediate"]:
    """Return the activated gate times up.

    Args:
        gate_up: gate columns, then as many up columns.
        code: number of the activation.
    """
    rows, width = gate_up.shape[0], gate_up.shape[1] // 2
    y = torch.empty((rows, width), dtype=gate_up.dtype, device=gate_up.device)
    if y.numel():
        block = min(1024, triton.next_power_of_2(width))
        forward_kernel[(rows, triton.cdiv(width, block))](
            gate_up, gate_up.stride(0), width, y, CODE=code, BLOCK=block
        )
    return y


def backward(
    d_y: Float[Tensor, "tokens intermediate"],
    gate_up: Float[Tensor, "tokens gate_and_up"],
    code: int,
) -> Float[Tensor, "tokens gate_and_up"]:
    """Return the gradient of ``gate_up``."""
    rows, width = d_y.shape
    d_gate_up = torch.empty(gate_up.shape, dtype=gate_up.dtype, device=gate_up.device)
    if d_y.numel():
        block = min(1024, triton.next_power_of_2(width))
        backward_kernel[(rows, triton.cdiv(width, block))](
            d_y,
            d_y.stride(0),
            gate_up,
            gate_up.stride(0),
            width,
            d_gate_up,
            CODE=code,
            BLOCK=block,
        )
    return d_gate_up
