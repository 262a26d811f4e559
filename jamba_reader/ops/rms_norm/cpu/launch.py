"""Root-mean-square normalisation on a CPU: calls of the numba kernels."""

import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.machine.operands import element_of
from jamba_reader.ops.machine.threads import parts_of
from jamba_reader.ops.rms_norm.cpu.backward import differentiate, differentiate_in_parallel
from jamba_reader.ops.rms_norm.cpu.forward import normalise, normalise_in_parallel


def forward(
    x: Float[Tensor, "tokens width"],
    residual: Float[Tensor, "tokens width"] | None,
    weight: Float[Tensor, " width"],
    eps: float,
) -> tuple[Float[Tensor, "tokens width"], Float[Tensor, "tokens width"]]:
    """Return the normalised rows of x, or of x + residual, and what was normalised."""
    y = torch.empty(x.shape, dtype=x.dtype, device="cpu")
    total = x if residual is None else torch.empty(x.shape, dtype=x.dtype, device="cpu")
    rows, width = x.shape
    parts = parts_of(y.numel())
    (normalise if parts == 1 else normalise_in_parallel)(
        0,
        parts,
        element_of(x.dtype),
        x.data_ptr(),
        x.stride(0),
        0 if residual is None else residual.data_ptr(),
        0 if residual is None else residual.stride(0),
        weight.data_ptr(),
        eps,
        rows,
        width,
        y.data_ptr(),
        total.data_ptr(),
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
    d_x = torch.empty(total.shape, dtype=total.dtype, device="cpu")
    parts = parts_of(d_x.numel())
    d_weights = torch.zeros((parts, width), dtype=torch.float32, device="cpu")
    (differentiate if parts == 1 else differentiate_in_parallel)(
        0,
        parts,
        element_of(total.dtype),
        d_y.data_ptr(),
        d_y.stride(0),
        0 if d_total is None else d_total.data_ptr(),
        0 if d_total is None else d_total.stride(0),
        total.data_ptr(),
        total.stride(0),
        weight.data_ptr(),
        eps,
        rows,
        width,
        d_x.data_ptr(),
        d_weights.data_ptr(),
    )
    return d_x, d_weights.sum(0).to(weight.dtype)
