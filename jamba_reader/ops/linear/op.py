"""Linear maps: torch's product, or for a few rows on a CPU a kernel that reads weights faster.

A few rows times a matrix cost what reading the matrix costs, and torch reads it more slowly than
``few_rows``: see ``benchmarks/results/jamba_few_rows.json``.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.linear import reference
from jamba_reader.ops.operand_checks import check_alike
from jamba_reader.ops.row_limits import product_rows
from jamba_reader.ops.selection import Implementation

_SMALLEST = 1 << 17
"""Weights from which reading faster makes up for the longer call."""


def linear(
    x: Float[Tensor, "tokens input"],
    weight: Float[Tensor, "output input"],
    bias: Float[Tensor, " output"] | None = None,
    *,
    implementation: Implementation = "auto",
) -> Float[Tensor, "tokens output"]:
    """Return ``x @ weight.T + bias``; what needs gradients goes through torch.

    Args:
        x: inputs; rows may be a view of a wider matrix.
        weight: the weight, in x's dtype.
        bias: added, if there is one.
        implementation: ``auto`` and ``cpu`` read the weights faster where that can be; all others
            leave it to torch.

    Raises:
        DataError: the operands' dtypes or devices differ.
    """
    check_alike("linear", x=x, weight=weight, bias=bias)
    operands = (x, weight) if bias is None else (x, weight, bias)
    if (
        len(x) > product_rows(weight.dtype)
        or x.dtype not in (torch.float32, torch.bfloat16)
        or any(t.dtype != x.dtype for t in operands)
        or weight.numel() < _SMALLEST
        or implementation not in ("auto", "cpu")
        or any(t.device.type != "cpu" for t in operands)
        or x.shape[1:] != weight.shape[1:]
        or (bias is not None and bias.shape != weight.shape[:1])
        or (torch.is_grad_enabled() and any(t.requires_grad for t in operands))
    ):
        return reference.linear(x, weight, bias)
    from jamba_reader.ops.linear.cpu import launch as cpu

    return cpu.linear_few_rows(x, weight, bias)
