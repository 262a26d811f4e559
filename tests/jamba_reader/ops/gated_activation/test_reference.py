"""The gated activation's reference against its formula and finite differences."""

import math

import pytest
import torch

from jamba_reader.ops.gated_activation.reference import gated_activation

FORMULAS = {
    "silu": lambda x: x / (1 + math.exp(-x)),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
}


@pytest.mark.parametrize("activation", FORMULAS)
def test_the_activated_gate_multiplies_the_other_half(activation: str) -> None:
    gate = [-3.0, -0.5, 0.0, 0.25, 4.0]
    up = [2.0, -1.0, 5.0, 8.0, -0.125]
    y = gated_activation(torch.tensor([gate + up], dtype=torch.float64), activation)
    expected = [FORMULAS[activation](g) * u for g, u in zip(gate, up, strict=True)]
    assert y[0].tolist() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("activation", FORMULAS)
def test_it_is_linear_in_the_other_half_alone(activation: str) -> None:
    gate_up = torch.randn((4, 12), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    scaled = gate_up.clone()
    scaled[:, 6:] *= -3
    torch.testing.assert_close(
        gated_activation(scaled, activation), -3 * gated_activation(gate_up, activation)
    )
    scaled[:, :6] *= -3
    assert not torch.allclose(
        gated_activation(scaled, activation), 9 * gated_activation(gate_up, activation)
    )


@pytest.mark.parametrize("activation", FORMULAS)
def test_bfloat16_is_rounded_once(activation: str) -> None:
    draw = torch.Generator().manual_seed(0)
    gate_up = torch.randn((50, 40), generator=draw).bfloat16()
    y = gated_activation(gate_up, activation)
    assert y.dtype == torch.bfloat16
    assert torch.equal(y, gated_activation(gate_up.float(), activation).bfloat16())


@pytest.mark.parametrize("activation", FORMULAS)
def test_gradients_are_those_of_finite_differences(activation: str) -> None:
    gate_up = torch.randn((4, 12), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: gated_activation(x, activation), gate_up.requires_grad_()
    )
