"""Root-mean-square normalisation in plain torch, in the order of operations of Llama and Jamba.

Source: Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019), equation 4. Statistics
and normalisation are in float32, the result is rounded to the model's dtype, and only then
multiplied by the weight: in bfloat16 another order gives other bits.
"""

from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.activation import computing_dtype


def rms_norm(
    x: Float[Tensor, "tokens width"], weight: Float[Tensor, " width"], eps: float
) -> Float[Tensor, "tokens width"]:
    """Divide each row by its root mean square and scale it.

    Args:
        x: rows to normalise.
        weight: scale of each column.
        eps: added to the mean square.
    """
    wide = x.to(computing_dtype(x.dtype))
    mean_square = wide.pow(2).mean(-1, keepdim=True)
    return weight * (wide * (mean_square + eps).rsqrt()).to(x.dtype)


def add_rms_norm(
    x: Float[Tensor, "tokens width"],
    residual: Float[Tensor, "tokens width"],
    weight: Float[Tensor, " width"],
    eps: float,
) -> tuple[Float[Tensor, "tokens width"], Float[Tensor, "tokens width"]]:
    """Add the residual, then normalise the sum.

    Args:
        x: output of a layer.
        residual: what flows past it.
        weight: scale of each column.
        eps: added to the mean square.

    Returns:
        The normalised sum and the sum, which is rounded to the model's dtype first.
    """
    total = x + residual
    return rms_norm(total, weight, eps), total
