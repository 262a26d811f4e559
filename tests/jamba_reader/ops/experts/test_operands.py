"""The weights of one layer's experts: what the fields hold, and in which order."""

import torch

from jamba_reader.ops.experts.operands import ExpertGradients, ExpertWeights
from jamba_reader.ops.experts.reference import routed_experts_reference


def test_scales_are_absent_unless_they_are_given() -> None:
    weights = ExpertWeights(torch.zeros(2, 6, 4), torch.zeros(2, 4, 3))
    assert weights.gate_up_scale is None
    assert weights.down_scale is None


def test_gate_rows_come_before_up_rows() -> None:
    """One expert with one inner value: gate 3, up 5 and down 2 give silu(3 x) * 5 x * 2."""
    weights = ExpertWeights(torch.tensor([[[3.0], [5.0]]]), torch.tensor([[[2.0]]]))
    x = torch.tensor([[0.5]])
    y = routed_experts_reference(
        x, weights, torch.tensor([[0]]), torch.tensor([[1.0]]), activation="silu"
    )
    gate = torch.tensor(1.5)
    torch.testing.assert_close(y, (gate * gate.sigmoid() * 2.5 * 2).reshape(1, 1))


def test_gradients_are_in_the_order_of_the_differentiable_inputs() -> None:
    """Autograd takes them by place: x, both weights, shares."""
    assert ExpertGradients._fields == ("x", *ExpertWeights._fields[:2], "expert_weights")
