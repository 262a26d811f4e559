"""The gated activation in plain torch.

Source: Shazeer, "GLU Variants Improve Transformer" (2020), equation 5.
"""

from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.activation import ActivationName, activate, computing_dtype


def gated_activation(
    gate_up: Float[Tensor, "tokens gate_and_up"], activation: ActivationName
) -> Float[Tensor, "tokens intermediate"]:
    """Multiply the activated left half by the right half; in float32, rounded once.

    Args:
        gate_up: gate columns, then as many up columns.
        activation: the activation of the gate.
    """
    gate, up = gate_up.to(computing_dtype(gate_up.dtype)).chunk(2, dim=-1)
    return (activate(gate, activation) * up).to(gate_up.dtype)
