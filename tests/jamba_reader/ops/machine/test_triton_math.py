"""Triton's activations, interpreted, against torch in float64 and its gradients."""

import pytest
import torch

pytest.importorskip("triton")

import triton
import triton.language as tl
from torch.nn.functional import gelu, silu

from jamba_reader.ops.activation import GELU, NONE, SILU
from jamba_reader.ops.machine.triton_math import activate, activation_gradient, sigmoid

FUNCTIONS = {NONE: lambda x: x.clone(), SILU: silu, GELU: gelu}


@triton.jit
def _apply(x_at, y_at, gradient_at, sigmoid_at, size: tl.constexpr, code: tl.constexpr):
    at = tl.arange(0, size)
    x = tl.load(x_at + at)
    tl.store(y_at + at, activate(x, code))
    tl.store(gradient_at + at, activation_gradient(x, code))
    tl.store(sigmoid_at + at, sigmoid(x))


def applied(x: torch.Tensor, code: int) -> list[torch.Tensor]:
    results = [torch.empty_like(x) for _ in range(3)]
    _apply[(1,)](x, *results, len(x), code)
    return results


@pytest.mark.parametrize("code", FUNCTIONS)
def test_values_and_derivatives_are_torchs(code: int) -> None:
    x = torch.linspace(-12, 12, 256)
    y, gradient, of_sigmoid = applied(x, code)
    exact = x.double().requires_grad_()
    expected = FUNCTIONS[code](exact)
    torch.testing.assert_close(y.double(), expected.detach(), rtol=1e-5, atol=1e-6)
    (slope,) = torch.autograd.grad(expected.sum(), exact)
    torch.testing.assert_close(gradient.double(), slope, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(of_sigmoid.double(), x.double().sigmoid(), rtol=1e-6, atol=0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of Triton's interpreter
@pytest.mark.parametrize("code", [SILU, GELU])
def test_huge_numbers_stay_numbers(code: int) -> None:
    y, gradient, of_sigmoid = applied(torch.tensor([-1e30, -200.0, 200.0, 1e30]), code)
    torch.testing.assert_close(y, torch.tensor([0.0, 0.0, 200.0, 1e30]))
    torch.testing.assert_close(gradient, torch.tensor([0.0, 0.0, 1.0, 1.0]))
    torch.testing.assert_close(of_sigmoid, torch.tensor([0.0, 0.0, 1.0, 1.0]))
