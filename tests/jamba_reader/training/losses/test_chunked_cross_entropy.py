import math

import pytest
import torch
from torch import Tensor

from jamba_reader.training.losses.chunked_cross_entropy import (
    IGNORED,
    chunked_cross_entropy,
    cross_entropy_reference,
)


def operands(
    tokens: int, hidden: int, vocabulary: int, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(tokens + vocabulary)
    states = torch.randn(tokens, hidden, generator=generator, dtype=torch.float64).to(dtype)
    weight = torch.randn(vocabulary, hidden, generator=generator, dtype=torch.float64).to(dtype)
    targets = torch.randint(0, vocabulary, (tokens,), generator=generator)
    row_weights = torch.rand(tokens, generator=generator, dtype=torch.float64).to(dtype)
    return states.requires_grad_(), weight.requires_grad_(), targets, row_weights


def test_a_hand_computed_loss_and_its_gradient() -> None:
    hidden = torch.tensor([[math.log(3.0)]], requires_grad=True)
    weight = torch.tensor([[1.0], [0.0]], requires_grad=True)  # probabilities 3/4 and 1/4
    loss = chunked_cross_entropy(hidden, weight, torch.tensor([1]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(4.0))
    assert hidden.grad is not None
    assert hidden.grad.tolist() == [[pytest.approx(0.75)]]
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, math.log(3.0) * torch.tensor([[0.75], [-0.75]]))


@pytest.mark.parametrize("chunk_rows", [1, 3, 7, None])
@pytest.mark.parametrize("weighted", [False, True])
def test_any_chunking_equals_the_whole(chunk_rows: int | None, weighted: bool) -> None:
    hidden, weight, targets, row_weights = operands(7, 5, 11)
    targets[2] = targets[6] = IGNORED
    chosen = row_weights if weighted else None
    whole = cross_entropy_reference(hidden, weight, targets, row_weights=chosen) / 3.0
    expected = torch.autograd.grad(whole, (hidden, weight))
    loss = chunked_cross_entropy(hidden, weight, targets, row_weights=chosen, chunk_rows=chunk_rows)
    got = torch.autograd.grad(loss / 3.0, (hidden, weight))
    torch.testing.assert_close(loss / 3.0, whole)
    for ours, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_gradients_agree_with_finite_differences() -> None:
    hidden, weight, targets, row_weights = operands(5, 3, 4, torch.float64)
    targets[1] = IGNORED

    def loss(states: Tensor, head: Tensor) -> Tensor:
        return chunked_cross_entropy(states, head, targets, row_weights=row_weights, chunk_rows=2)

    assert torch.autograd.gradcheck(loss, (hidden, weight))


def test_bfloat16_sums_in_float32() -> None:
    hidden, weight, targets, _ = operands(64, 16, 50, torch.bfloat16)
    loss = chunked_cross_entropy(hidden, weight, targets, chunk_rows=9)
    loss.backward()
    exact_hidden, exact_weight = (
        tensor.detach().double().requires_grad_() for tensor in (hidden, weight)
    )
    exact = cross_entropy_reference(exact_hidden, exact_weight, targets)
    exact.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=5e-3)
    for ours, theirs in ((hidden.grad, exact_hidden.grad), (weight.grad, exact_weight.grad)):
        assert ours is not None
        assert theirs is not None
        assert ours.dtype == torch.bfloat16
        scale = theirs.abs().max().item()
        torch.testing.assert_close(ours.double(), theirs, atol=2e-2 * scale, rtol=0)


def test_huge_logits_overflow_nothing() -> None:
    hidden = torch.tensor([[1e4], [-1e4]], requires_grad=True)
    weight = torch.tensor([[1.0], [-1.0]], requires_grad=True)
    loss = chunked_cross_entropy(hidden, weight, torch.tensor([0, 0]))
    loss.backward()
    assert loss.item() == 2e4
    assert hidden.grad is not None
    assert hidden.grad.tolist() == [[0.0], [-2.0]]


def test_no_row_and_no_gradient() -> None:
    hidden, weight, targets, _ = operands(3, 2, 4)
    targets.fill_(IGNORED)
    loss = chunked_cross_entropy(hidden, weight, targets)
    loss.backward()
    assert loss.item() == 0.0
    assert weight.grad is not None
    assert not weight.grad.any()
    with torch.no_grad():
        assert not chunked_cross_entropy(hidden, weight, targets).requires_grad


def test_no_tensor_of_tokens_times_vocabulary_is_made() -> None:
    hidden, weight, targets, _ = operands(64, 4, 512)
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            nonlocal largest
            result = function(*args, **(kwargs or {}))
            if isinstance(result, Tensor):
                largest = max(largest, result.numel())
            return result

    with Watch():
        chunked_cross_entropy(hidden, weight, targets, chunk_rows=4).backward()
    assert largest <= 4 * 512
