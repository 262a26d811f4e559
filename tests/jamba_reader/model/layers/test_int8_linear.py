"""The linear layer with int8 weights."""

import pytest
import torch
from torch import Tensor, nn

from jamba_reader.model.layers.int8_linear import Int8Linear
from jamba_reader.ops.row_quantisation.operands import QuantisedRows
from jamba_reader.ops.row_quantisation.reference import dequantise_rows, quantise_rows
from jamba_reader.ops.selection import Implementation


def quantised(weight: Tensor, *, kernels: Implementation = "auto") -> Int8Linear:
    layer = Int8Linear(weight.shape[1], weight.shape[0], kernels=kernels)
    quantise_rows(weight, out=QuantisedRows(layer.weight, layer.scale))
    return layer


def test_output_is_within_the_bound_of_the_float_layer() -> None:
    weight, x = torch.randn(9, 33), torch.randn(5, 33)
    layer = quantised(weight)
    off = (layer(x) - x @ weight.T).abs()
    bound = layer.scale / 2 * x.abs().sum(dim=1, keepdim=True)
    assert (off <= bound + 1e-5).all()
    assert (off > 0).any()


@pytest.mark.parametrize("rows", [0, 1, 3, 7, 40])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_number_of_rows_follows_the_definition(rows: int, dtype: torch.dtype) -> None:
    layer = quantised(torch.randn(31, 20))
    x = torch.randn(rows, 20).to(dtype)
    y = layer(x)
    expected = x.double() @ layer.weight.double().T * layer.scale.double()
    assert y.dtype == dtype
    precision = 1e-6 if dtype == torch.float32 else 6e-3
    torch.testing.assert_close(y.double(), expected, rtol=precision, atol=precision * 4)


@pytest.mark.parametrize("kernels", ["cpu", "triton", "reference"])
def test_gradient_goes_to_the_input_only(kernels: Implementation) -> None:
    layer = quantised(torch.randn(12, 20), kernels=kernels)
    x = torch.randn(40, 25)[:, :20].requires_grad_()
    upstream = torch.randn(40, 12)
    (gradient,) = torch.autograd.grad(layer(x), x, upstream)
    torch.testing.assert_close(gradient, upstream @ dequantise_rows(layer.weight, layer.scale))
    assert not list(layer.parameters())


def test_scales_stay_float32_when_a_model_is_cast() -> None:
    model = nn.Sequential(quantised(torch.randn(12, 20)))
    scale = model[0].scale.clone()
    model.to(torch.bfloat16)
    assert torch.equal(model[0].scale, scale)
    assert model[0].weight.dtype == torch.int8
    assert model.to("meta").to_empty(device="cpu")[0].scale.dtype == torch.float32


def test_state_holds_weight_and_scale() -> None:
    layer = Int8Linear(4, 3)
    assert {name: tuple(t.shape) for name, t in layer.state_dict().items()} == {
        "weight": (3, 4),
        "scale": (3,),
    }
    assert "in_features=4, out_features=3" in repr(layer)
