"""The door to the gated activation: picks a kernel and differentiates through it."""

from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.activation import ActivationName
from jamba_reader.ops.gated_activation import reference
from jamba_reader.ops.selection import Implementation


def gated_activation(
    gate_up: Float[Tensor, "tokens gate_and_up"],
    *,
    activation: ActivationName,
    implementation: Implementation = "auto",
) -> Float[Tensor, "tokens intermediate"]:
    """Multiply the activated left half by the right half, in one pass.

    Source: Shazeer, "GLU Variants Improve Transformer" (2020), equation 5.

    Args:
        gate_up: gate columns, then as many up columns; rows may be strided.
        activation: of the gate.
        implementation: which kernel; ``auto`` goes by device and dtype.
    """
    return reference.gated_activation(gate_up, activation)
