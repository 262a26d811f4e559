"""A linear layer with int8 weights and one float32 scale per output feature."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jamba_reader.ops.experts.op import int8_linear
from jamba_reader.ops.selection import Implementation


class Float32Scales(nn.Module):
    """A module whose buffers named ``*scale`` stay float32 when it is cast to another dtype.

    ``model.to(torch.bfloat16)`` would round them, which would make the error of the weights half as
    large again.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Float32Scales":
        before = {name: scale for name, scale in self._buffers.items() if name.endswith("scale")}
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, scale in before.items():
            after = self._buffers[name]
            if scale is not None and after is not None and after.dtype != torch.float32:
                self._buffers[name] = scale.to(after.device)
        return self


class Int8Linear(Float32Scales):
    """``y = (x @ weight.T) * scale``, without bias; only x gets a gradient.

    Args:
        in_features: width of x.
        out_features: width of y.
        kernels: implementation of the product.
        device: device of the buffers.
    """

    weight: Tensor
    scale: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        kernels: Implementation = "auto",
        device: torch.device | str | None = None,
    ):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.kernels: Implementation = kernels
        shape = (out_features, in_features)
        self.register_buffer("weight", torch.zeros(shape, dtype=torch.int8, device=device))
        self.register_buffer("scale", torch.ones(out_features, device=device, dtype=torch.float32))

    def forward(self, x: Float[Tensor, "tokens input"]) -> Float[Tensor, "tokens output"]:
        """Return the product."""
        return int8_linear(x, self.weight, self.scale, implementation=self.kernels)

    def extra_repr(self) -> str:
        """Return the sizes for ``repr``."""
        return f"in_features={self.in_features}, out_features={self.out_features}"
