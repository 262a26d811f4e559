"""The door to linear maps: torch's product, or for a few rows on a CPU the one that reads faster.

One row times a matrix costs what reading the matrix costs, and torch reads float32 weights more
slowly than ``jamba_reader.ops.experts.few_rows``: the product took 1.7 to 2.9 times as long at one
row, 2 to 4.5 times at 2 to 8 and 1.5 to 1.9 times at 16 (two cores with AVX-512, a lightly loaded
machine). With bfloat16 weights that was no steady gain, at 4 rows a loss when the machine was busy;
torch keeps them.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from jamba_reader.ops.selection import Implementation

FEW_ROWS = 16
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
        weight: in x's dtype.
        bias: added, if there is one.
        implementation: ``auto`` and ``cpu`` read the weights faster where that can be; all others
            leave it to torch.
    """
    if (
        len(x) > FEW_ROWS
        or weight.dtype != torch.float32
        or x.dtype != torch.float32
        or weight.numel() < _SMALLEST
        or implementation not in ("auto", "cpu")
        or weight.device.type != "cpu"
        or (torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad))
    ):
        return functional.linear(x, weight, bias)
    from jamba_reader.ops.experts import cpu

    y = cpu.linear(x, weight, None)
    return y if bias is None else y.add_(bias)
