"""The reference of the normalisation: values by hand, gradients by finite differences."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jamba_reader.ops.rms_norm.reference import add_rms_norm, rms_norm

EPS = 1e-6


def drawn(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def test_a_row_by_hand() -> None:
    # mean square of 3, 4, 0 and 0 is 25 / 4, its root 5 / 2
    x = torch.tensor([[3.0, 4.0, 0.0, 0.0]], dtype=torch.float64)
    weight = torch.tensor([1.0, 10.0, 7.0, 7.0], dtype=torch.float64)
    expected = torch.tensor([[1.2, 16.0, 0.0, 0.0]], dtype=torch.float64)
    assert torch.allclose(rms_norm(x, weight, 0.0), expected, rtol=1e-15)
    # eps is added to the mean square: 25 / 4 + 11 / 4 = 9
    assert torch.allclose(rms_norm(x, weight, 2.75), expected * 2.5 / 3, rtol=1e-15)


def test_it_is_the_papers_formula() -> None:
    x, weight = drawn(5, 7), drawn(7, seed=1)
    rows = x.numpy()
    expected = rows / np.sqrt((rows**2).mean(1, keepdims=True) + EPS) * weight.numpy()
    np.testing.assert_allclose(rms_norm(x, weight, EPS).numpy(), expected, rtol=1e-12)


@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
def test_the_scale_of_a_row_does_not_matter(scale: float, seed: int) -> None:
    x, weight = drawn(3, 8, seed=seed), drawn(8, seed=1)
    torch.testing.assert_close(rms_norm(scale * x, weight, 0.0), rms_norm(x, weight, 0.0))


def test_the_sum_is_rounded_before_it_is_normalised() -> None:
    x, residual = (drawn(64, 48, dtype=torch.bfloat16, seed=seed) for seed in (0, 1))
    weight = drawn(48, dtype=torch.bfloat16, seed=2)
    y, total = add_rms_norm(x, residual, weight, EPS)
    assert total.dtype == torch.bfloat16
    assert torch.equal(total, (x.float() + residual.float()).bfloat16())
    assert torch.equal(y, rms_norm(total, weight, EPS))


def test_the_weight_multiplies_after_rounding() -> None:
    x, weight = drawn(64, 96, dtype=torch.bfloat16), drawn(96, dtype=torch.bfloat16, seed=1)
    wide = x.float()
    normal = wide * (wide.pow(2).mean(-1, keepdim=True) + EPS).rsqrt()
    assert torch.equal(rms_norm(x, weight, EPS), weight * normal.bfloat16())
    # the other order gives other bits: so the line above can fail
    assert not torch.equal(rms_norm(x, weight, EPS), (weight.float() * normal).bfloat16())


@pytest.mark.parametrize("use", ["y", "total", "both"])
def test_gradients_are_those_of_finite_differences(use: str) -> None:
    tensors = [drawn(3, 5), drawn(3, 5, seed=1), drawn(5, seed=2)]

    def run(
        x: torch.Tensor, residual: torch.Tensor, weight: torch.Tensor
    ) -> tuple[torch.Tensor, ...] | torch.Tensor:
        y, total = add_rms_norm(x, residual, weight, EPS)
        return {"y": y, "total": total, "both": (y, total)}[use]

    leaves = [tensor.requires_grad_() for tensor in tensors]
    assert torch.autograd.gradcheck(run, leaves)
