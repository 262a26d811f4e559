"""The routed experts' reference against transformers, float64 and dense weights."""

import pytest
import torch
from transformers import JambaConfig
from transformers.models.jamba.modeling_jamba import JambaExperts

from jamba_reader.ops.experts.operands import ExpertWeights
from jamba_reader.ops.experts.reference import routed_experts_reference
from jamba_reader.ops.row_quantisation.reference import dequantise_rows


def routing(tokens: int, experts: int, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    chosen = torch.randn(tokens, experts).softmax(dim=-1).topk(k, dim=-1)
    return chosen.indices, chosen.values


@pytest.mark.parametrize(
    ("experts", "k", "activation"),
    [(1, 1, "silu"), (4, 2, "gelu"), (4, 3, "silu"), (16, 2, "silu")],
)
def test_values_and_gradients_are_those_of_transformers(
    make_experts, experts: int, k: int, activation: str
) -> None:
    weights = make_experts(experts, 12, 10)
    config = JambaConfig(
        hidden_size=12, intermediate_size=10, num_experts=experts, num_experts_per_tok=k,
        hidden_act=activation,
    )  # fmt: skip
    theirs = JambaExperts(config)
    theirs.load_state_dict({"gate_up_proj": weights.gate_up, "down_proj": weights.down})
    ids, shares = routing(9, experts, k)
    x, upstream = torch.randn(9, 12, requires_grad=True), torch.randn(9, 12)
    shares.requires_grad_()
    y = routed_experts_reference(x, weights, ids, shares, activation=activation)
    expected = theirs(x, ids, shares)
    torch.testing.assert_close(y, expected)
    ours = torch.autograd.grad(y, (x, shares, weights.gate_up, weights.down), upstream)
    other = torch.autograd.grad(
        expected, (x, shares, theirs.gate_up_proj, theirs.down_proj), upstream
    )
    for mine, their in zip(ours, other, strict=True):
        torch.testing.assert_close(mine, their)


def test_gradients_hold_in_float64(make_experts) -> None:
    weights = make_experts(3, 4, 5, torch.float64)
    ids, shares = routing(6, 3, 2)
    x, shares = torch.randn(6, 4, dtype=torch.float64, requires_grad=True), shares.double()

    def run(x, shares, gate_up, down):
        weights = ExpertWeights(gate_up, down)
        return routed_experts_reference(x, weights, ids, shares, activation="silu")

    assert torch.autograd.gradcheck(run, (x, shares.requires_grad_(), *weights[:2]))


def test_int8_weights_are_those_they_stand_for(make_experts) -> None:
    weights = make_experts(3, 16, 8, int8=True)
    ids, shares = routing(7, 3, 2)
    x = torch.randn(7, 16)
    dense = ExpertWeights(
        dequantise_rows(weights.gate_up, weights.gate_up_scale),
        dequantise_rows(weights.down, weights.down_scale),
    )
    torch.testing.assert_close(
        routed_experts_reference(x, weights, ids, shares, activation="silu"),
        routed_experts_reference(x, dense, ids, shares, activation="silu"),
    )


def test_shares_are_not_renormalised(make_experts) -> None:
    weights = make_experts(3, 16, 8)
    ids, shares = routing(7, 3, 2)
    x = torch.randn(7, 16)
    whole = routed_experts_reference(x, weights, ids, shares, activation="silu")
    half = routed_experts_reference(x, weights, ids, shares / 2, activation="silu")
    torch.testing.assert_close(half, whole / 2)
