"""The convolution's reference: by hand, against torch's, and by finite differences."""

import pytest
import torch
from torch.nn.functional import conv1d, gelu, pad, silu

from jamba_reader.ops.causal_conv1d.reference import causal_conv1d
from jamba_reader.ops.segments import Segments

ACTIVATIONS = {None: lambda x: x, "silu": silu, "gelu": gelu}


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_two_sequences_by_hand() -> None:
    x = torch.tensor([[1.0], [2.0], [3.0], [5.0]])
    # the oldest tap first: y_t = 100 x_{t-2} + 10 x_{t-1} + x_t + 0.5
    weight, bias = torch.tensor([[100.0, 10.0, 1.0]]), torch.tensor([0.5])
    history = torch.tensor([[[7.0], [8.0]], [[0.0], [9.0]]])
    y, final = causal_conv1d(x, weight, bias, Segments([3, 1]), history, None)
    assert y[:, 0].tolist() == [781.5, 812.5, 123.5, 95.5]
    # one token shifts into the history of the second sequence
    assert final[:, :, 0].tolist() == [[2.0, 3.0], [9.0, 5.0]]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("width", [1, 2, 4])
def test_it_is_torchs_convolution(width: int, activation: str | None) -> None:
    x, weight, bias = drawn(7, 5), drawn(5, width, seed=1), drawn(5, seed=2)
    padded = pad(x.t()[None], (width - 1, 0))
    expected = ACTIVATIONS[activation](conv1d(padded, weight[:, None], bias, groups=5)[0].t())
    y, final = causal_conv1d(x, weight, bias, Segments([7]), None, activation)
    torch.testing.assert_close(y, expected)
    assert torch.equal(final[0], x[7 - (width - 1) :])


def test_an_empty_sequence_hands_its_history_on() -> None:
    history = drawn(3, 3, 2)
    y, final = causal_conv1d(drawn(4, 2), drawn(2, 4), None, Segments([0, 4, 0]), history, "silu")
    assert y.shape == (4, 2)
    assert torch.equal(final[[0, 2]], history[[0, 2]])
    assert not torch.equal(final[1], history[1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_finite_differences(activation: str | None) -> None:
    segments = Segments([3, 0, 1])
    tensors = [drawn(4, 2), drawn(2, 3, seed=1), drawn(2, seed=2), drawn(3, 2, 2, seed=3)]

    def run(
        x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, history: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return causal_conv1d(x, weight, bias, segments, history, activation)

    assert torch.autograd.gradcheck(run, [tensor.requires_grad_() for tensor in tensors])
