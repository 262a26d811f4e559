import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pretrain.losses.in_batch_nll import in_batch_nll


def test_two_queries_computed_by_hand() -> None:
    queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    # positives of both, then negatives of both: 2m = 4 columns
    passages = torch.tensor([[1.0, 0.0], [2.0, 1.0], [0.0, 1.0], [0.0, 3.0]])
    masked = torch.zeros(2, 4, dtype=torch.bool)
    result = in_batch_nll(queries, passages, torch.tensor([0, 1]), masked, multiplier=1.0)
    first = math.log(math.exp(1) + math.exp(2) + 1 + 1) - 1
    second = math.log(1 + math.exp(1) + math.exp(1) + math.exp(3)) - 1
    assert float(result.loss) == pytest.approx((first + second) / 2, abs=1e-6)
    assert float(result.accuracy) == 0.0


def test_a_masked_passage_leaves_the_sum() -> None:
    queries = torch.tensor([[1.0, 0.0]])
    passages = torch.tensor([[1.0, 0.0], [5.0, 0.0], [0.0, 1.0]])
    masked = torch.tensor([[False, True, False]])
    result = in_batch_nll(queries, passages, torch.tensor([0]), masked, multiplier=2.0)
    expected = math.log(math.exp(2) + 1) - 2
    assert float(result.loss) == pytest.approx(expected, abs=1e-6)
    assert float(result.accuracy) == 1.0


def _naive(
    queries: torch.Tensor, passages: torch.Tensor, masked: torch.Tensor, multiplier: float
) -> torch.Tensor:
    total = torch.zeros(())
    for row, query in enumerate(queries):
        terms = [
            torch.exp(multiplier * (query * passage).sum())
            for column, passage in enumerate(passages)
            if not masked[row, column]
        ]
        total = total - torch.log(
            torch.exp(multiplier * (query * passages[row]).sum()) / sum(terms)
        )
    return total / len(queries)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([1.0, 4.0]))
def test_values_and_gradients_equal_the_formula(seed: int, multiplier: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    queries = torch.randn(3, 5, generator=generator, requires_grad=True)
    passages = torch.randn(6, 5, generator=generator, requires_grad=True)
    masked = torch.rand(3, 6, generator=generator) < 0.3
    masked[torch.arange(3), torch.arange(3)] = False
    fast = in_batch_nll(queries, passages, torch.arange(3), masked, multiplier=multiplier).loss
    slow = _naive(queries, passages, masked, multiplier)
    torch.testing.assert_close(fast, slow, rtol=1e-4, atol=1e-5)
    fast_gradients = torch.autograd.grad(fast, [queries, passages])
    slow_gradients = torch.autograd.grad(slow, [queries, passages])
    for one, other in zip(fast_gradients, slow_gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_scores_are_float32_under_autocast() -> None:
    queries = torch.full((2, 4), 1.001, dtype=torch.bfloat16)
    masked = torch.zeros(2, 2, dtype=torch.bool)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = in_batch_nll(queries, queries, torch.arange(2), masked, multiplier=1.0)
    assert result.loss.dtype == torch.float32
