"""Root-mean-square normalisation on a GPU: calls of the Triton kernels."""

import torch
import triton
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.rms_norm.gpu.backward import backward_kernel
from jamba_reader.ops.rms_norm.gpu.forward import forward_kernel

ELEMENTS = 4096
"""Elements that a program holds at a time, unless one row is more."""


PROGRAMS = 528
"""Of the backward pass, each with its own sum of the weight's gradient; 4 for each of 132 SMs."""


def forward(
    x: Float[Tensor, "tokens width"],
    residual: Float[Tensor, "tokens width"] | None,
    weight: Float[Tensor, " width"],
    eps: float,
) -> tuple[Float[Tensor, "tokens width"], Float[Tensor, "tokens width"]]:
    """Return the normalised rows of x, or of x + residual, and what was normalised."""
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    total = x if residual is None else torch.empty_like(y)
    rows, width = x.shape
    if y.numel():
        block_rows, block, warps = _blocks(rows, width)
        forward_kernel[(triton.cdiv(rows, block_rows),)](
            x,
            x.stride(0),
            residual,
            0 if residual is None else residual.stride(0),
            weight,
            eps,
            rows,
            width,
            y,
            total,
            ADDS=residual is not None,
            ROWS=block_rows,
            BLOCK=block,
            num_warps=warps,
        )
    return y, total


def backward(
    d_y: Float[Tensor, "tokens width"],
    d_total: Float[Tensor, "tokens width"] | None,
    total: Float[Tensor, "tokens width"],
    weight: Float[Tensor, " width"],
    eps: float,
) -> tuple[Float[Tensor, "tokens width"], Float[Tensor, " width"]]:
    """Return the gradients of what was normalised and of the weight.

    Args:
        d_y: gradient of the normalised rows.
        d_total: gradient that reaches what was normalised past the normalisation.
        total: what was normalised.
        weight: scale of each column.
        eps: added to the mean square.
    """
    rows, width = total.shape
    d_x = torch.empty(total.shape, dtype=total.dtype, device=total.device)
    if not d_x.numel():
        return d_x, torch.zeros_like(weight)
    block_rows, block, warps = _blocks(rows, width)
    programs = min(PROGRAMS, triton.cdiv(rows, block_rows))
    d_weights = torch.empty((programs, width), dtype=torch.float32, device=total.device)
    backward_kernel[(programs,)](
        d_y,
        d_y.stride(0),
        d_total,
        0 if d_total is None else d_total.stride(0),
        total,
        total.stride(0),
        weight,
        eps,
        rows,
        width,
        programs,
        d_x,
        d_weights,
        ADDS=d_total is not None,
        ROWS=block_rows,
        BLOCK=block,
        num_warps=warps,
    )
    return d_x, d_weights.sum(0).to(weight.dtype)


def _blocks(rows: int, width: int) -> tuple[int, int, int]:
    """Return the rows and columns of a program's tile, and its warps."""
    block = triton.next_power_of_2(width)
    block_rows = min(max(1, ELEMENTS // block), triton.next_power_of_2(rows))
    return block_rows, block, min(16, max(1, block_rows * block // 512))
