"""The linear map in torch, which is also what runs for many rows and for gradients."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def linear(
    x: Float[Tensor, "*tokens input"],
    weight: Float[Tensor, "output input"],
    bias: Float[Tensor, " output"] | None = None,
) -> Float[Tensor, "*tokens output"]:
    """Return ``x @ weight.T + bias``."""
    return functional.linear(x, weight, bias)
