"""The linear map in torch, which is also what runs for many rows and for gradients."""

from torch import Tensor
from torch.nn import functional


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``x @ weight.T + bias``; torch refuses shapes that do not fit."""
    return functional.linear(x, weight, bias)
