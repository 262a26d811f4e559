"""The linear layer of the model."""

import pytest
import torch

from jamba_reader.model.layers.linear import Linear


@pytest.mark.parametrize("bias", [False, True])
def test_it_is_torchs_layer_with_and_without_gradients(bias: bool) -> None:
    layer, x = Linear(512, 256, bias=bias), torch.randn(3, 512)
    expected = torch.nn.Linear.forward(layer, x)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), expected, rtol=1e-5, atol=1e-5)
    y = layer(x)
    assert y.requires_grad
    assert torch.equal(y, expected)
    assert set(layer.state_dict()) == ({"weight", "bias"} if bias else {"weight"})
