"""The door to root-mean-square normalisation: picks a kernel and differentiates through it."""

from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.rms_norm import reference
from jamba_reader.ops.selection import Implementation


def rms_norm(
    x: Float[Tensor, "tokens width"],
    weight: Float[Tensor, " width"],
    eps: float,
    *,
    implementation: Implementation = "auto",
) -> Float[Tensor, "tokens width"]:
    """Divide each row by its root mean square and scale it.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019), equation 4; rounded
    to the dtype of ``x`` before the weight multiplies, as Llama and Jamba do.

    Args:
        x: rows to normalise; may be strided, as a slice of a wider matrix is.
        weight: scale of each column.
        eps: added to the mean square.
        implementation: which kernel; ``auto`` goes by device and dtype.
    """
    return reference.rms_norm(x, weight, eps)


def add_rms_norm(
    x: Float[Tensor, "tokens width"],
    residual: Float[Tensor, "tokens width"],
    weight: Float[Tensor, " width"],
    eps: float,
    *,
    implementation: Implementation = "auto",
) -> tuple[Float[Tensor, "tokens width"], Float[Tensor, "tokens width"]]:
    """Add the residual and normalise the sum in one pass.

    Args:
        x: output of a layer.
        residual: what flows past it.
        weight: scale of each column.
        eps: added to the mean square.
        implementation: which kernel; ``auto`` goes by device and dtype.

    Returns:
        The normalised sum, and the sum.
    """
    return reference.add_rms_norm(x, residual, weight, eps)
