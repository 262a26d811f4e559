"""The door to the routed experts: checks, and picks an implementation."""

from jaxtyping import Float, Float32, Int8, Int64
from torch import Tensor

from jamba_reader.ops.activation import ActivationName
from jamba_reader.ops.experts.reference import (
    int8_linear_reference,
    routed_experts_reference,
)
from jamba_reader.ops.experts.weights import ExpertWeights
from jamba_reader.ops.selection import Implementation


def routed_experts(
    x: Float[Tensor, "tokens hidden"],
    experts: ExpertWeights,
    expert_ids: Int64[Tensor, "tokens k"],
    expert_weights: Float[Tensor, "tokens k"],
    *,
    activation: ActivationName,
    implementation: Implementation = "auto",
) -> Float[Tensor, "tokens hidden"]:
    """Return ``sum_k w_tk * down_e(act(gate_e x_t) * up_e x_t)`` for each token t.

    Args:
        x: inputs; rows may be a view of a wider matrix.
        experts: weights, in x's dtype or int8 with scales.
        expert_ids: experts of each token.
        expert_weights: their shares, used as they are.
        activation: of the gate.
        implementation: which kernel.
    """
    return routed_experts_reference(x, experts, expert_ids, expert_weights, activation=activation)


def int8_linear(
    x: Float[Tensor, "tokens input"],
    weight: Int8[Tensor, "output input"],
    scale: Float32[Tensor, " output"],
    *,
    implementation: Implementation = "auto",
) -> Float[Tensor, "tokens output"]:
    """Return ``(x @ weight.T) * scale``, sums in float32, scaled once.

    Args:
        x: inputs.
        weight: rows of integers in -127..127.
        scale: of each row.
        implementation: which kernel.
    """
    return int8_linear_reference(x, weight, scale)
