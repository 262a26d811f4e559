"""The linear map's reference: the product by hand, and torch's refusals."""

import numpy as np
import pytest
import torch

from jamba_reader.ops.linear.reference import linear


def test_a_product_by_hand() -> None:
    x = torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])
    weight = torch.tensor([[10.0, 1.0], [0.0, 4.0]])
    expected = torch.tensor([[12.0, 8.0], [-1.0, -4.0], [30.5, 2.0]])
    assert torch.equal(linear(x, weight), expected)
    bias = torch.tensor([100.0, -8.0])
    assert torch.equal(linear(x, weight, bias), expected + bias)


@pytest.mark.parametrize("rows", [0, 1, 40])
def test_it_is_numpys_product(rows: int) -> None:
    draw = torch.Generator().manual_seed(rows)
    x, weight, bias = (
        torch.randn(shape, generator=draw, dtype=torch.float64) for shape in ((rows, 9), (4, 9), 4)
    )
    expected = np.einsum("ti,oi->to", x.numpy(), weight.numpy()) + bias.numpy()
    np.testing.assert_allclose(linear(x, weight, bias).numpy(), expected, rtol=1e-12)


def test_gradients_are_those_of_finite_differences() -> None:
    draw = torch.Generator().manual_seed(0)
    operands = [
        torch.randn(shape, generator=draw, dtype=torch.float64, requires_grad=True)
        for shape in ((3, 5), (2, 5), (2,))
    ]
    assert torch.autograd.gradcheck(linear, operands)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RuntimeError, match="shape"):
        linear(torch.zeros(2, 3), torch.zeros(4, 5))
