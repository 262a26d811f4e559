"""A linear layer that is fast for few rows."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jamba_reader.ops.linear.op import linear
from jamba_reader.ops.selection import Implementation


class Linear(nn.Linear):
    """``torch.nn.Linear`` through ``jamba_reader.ops.linear.op``.

    Args:
        in_features: width of x.
        out_features: width of y.
        bias: whether there is a bias.
        kernels: implementation of the product.
        device: device of the parameters.
        dtype: data type of the parameters.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool,
        kernels: Implementation = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__(in_features, out_features, bias=bias, device=device, dtype=dtype)
        self.kernels: Implementation = kernels

    def forward(self, x: Float[Tensor, "tokens input"]) -> Float[Tensor, "tokens output"]:
        """Return the product plus the bias."""
        return linear(x, self.weight, self.bias, implementation=self.kernels)
