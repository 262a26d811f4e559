"""The gated activation: its reference, and its kernels against it."""

import pytest
import torch

from jamba_reader.ops.activation import activation_code
from jamba_reader.ops.gated_activation import reference
from jamba_reader.ops.gated_activation.op import gated_activation
from jamba_reader.ops.machine import threads
from spider.errors import ConfigError, DataError

KERNELS = ["cpu", "triton"]
ACTIVATIONS = ["silu", "gelu"]


def operand(tokens, intermediate, dtype=torch.float32):
    """Rows of a wider matrix."""
    draw = torch.Generator().manual_seed(0)
    wide = 2 * torch.randn((tokens, 2 * intermediate + 5), generator=draw)
    return wide.to(dtype)[:, 2 : 2 + 2 * intermediate]


def gradients(implementation, gate_up, activation):
    leaf = gate_up.detach().clone().requires_grad_()
    # a slice of the leaf, so that rows stay strided
    rows = torch.cat([leaf, leaf], 1)[:, : leaf.shape[1]]
    y = gated_activation(rows, activation=activation, implementation=implementation)
    scale = torch.randn(y.shape, generator=torch.Generator().manual_seed(5)).to(y.dtype)
    return y.detach(), torch.autograd.grad((y * scale).sum(), leaf)[0]


def assert_close(got, expected, tolerance):
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("tokens", "intermediate"), [(1, 1), (5, 37), (2, 1030)])
@pytest.mark.parametrize("implementation", KERNELS)
def test_values_and_gradients_are_the_references(implementation, tokens, intermediate, activation):
    gate_up = operand(tokens, intermediate)
    got = gradients(implementation, gate_up, activation)
    assert_close(got, gradients("reference", gate_up, activation), 2e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("implementation", KERNELS)
def test_bfloat16_is_rounded_once(implementation, activation):
    gate_up = operand(7, 40, torch.bfloat16)
    got = gradients(implementation, gate_up, activation)
    wide = gradients("reference", gate_up.float(), activation)
    # Triton's interpreter cuts off instead of rounding
    tolerance = 2**-8 if implementation == "cpu" else 2**-6
    torch.testing.assert_close(got[0].float(), wide[0], rtol=tolerance, atol=1e-6)
    # the gradient of y was rounded on its way here
    torch.testing.assert_close(got[1].float(), wide[1], rtol=2**-6, atol=2**-6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float32_error_against_float64(activation):
    gate_up = operand(40, 50)
    expected = reference.gated_activation(gate_up.double(), activation)
    y = gated_activation(gate_up, activation=activation).double()
    assert ((y - expected).abs() / expected.abs()).max() <= 2e-6


@pytest.mark.parametrize("implementation", ["reference", *KERNELS])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_huge_inputs_give_numbers(implementation, activation):
    gate_up = torch.tensor([[1e30, -1e30, -1e30, 2.0, 1.0, 2.0]], requires_grad=True)
    y = gated_activation(gate_up, activation=activation, implementation=implementation)
    (gradient,) = torch.autograd.grad(y.sum(), gate_up)
    assert y.isfinite().all()
    assert gradient.isfinite().all()
    torch.testing.assert_close(y[0, :2], torch.tensor([2e30, 0.0]))


@pytest.mark.parametrize("implementation", ["reference", *KERNELS])
def test_no_rows(implementation):
    gate_up = torch.zeros(0, 6, requires_grad=True)
    y = gated_activation(gate_up, activation="silu", implementation=implementation)
    assert y.shape == (0, 3)
    assert torch.autograd.grad(y.sum(), gate_up)[0].shape == (0, 6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_threads_change_no_bit(monkeypatch, activation):
    alone = gradients("cpu", operand(10, 40), activation)
    monkeypatch.setattr(threads, "MANY", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    together = gradients("cpu", operand(10, 40), activation)
    assert torch.equal(alone[0], together[0])
    assert torch.equal(alone[1], together[1])


def test_columns_need_not_be_adjacent_and_half_precision_works():
    gate_up = operand(4, 6)
    expected = gated_activation(gate_up, activation="silu")
    assert torch.equal(gated_activation(gate_up.t().contiguous().t(), activation="silu"), expected)
    assert gated_activation(gate_up.half(), activation="silu").dtype == torch.float16


def test_bad_input_is_named():
    with pytest.raises(DataError, match="3 columns, expected an even number"):
        gated_activation(torch.zeros(1, 3), activation="silu")
    with pytest.raises(ConfigError, match="hidden_act=relu: expected silu or gelu"):
        activation_code.__wrapped__("relu")
