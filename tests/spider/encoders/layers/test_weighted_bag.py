import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spider.encoders.layers.weighted_bag import bag_of_rows, weighted_bag, weighted_bag_reference
from spider.text.token_batch import token_batch

VOCABULARY, DIMENSION = 11, 7


def parameters():
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(VOCABULARY, DIMENSION, generator=generator).requires_grad_()
    weights = torch.rand(VOCABULARY, generator=generator).requires_grad_()
    return table, weights


def batch_of(texts):
    return token_batch([np.array(text, dtype=np.int64) for text in texts])


def test_hand_computed_sum():
    table = torch.tensor([[1.0, 0.0], [0.0, 2.0], [5.0, 5.0]])
    weights = torch.tensor([1.0, 3.0, 100.0])
    sums = weighted_bag(table, weights, batch_of([[0, 1, 1], [], [0]]))
    assert sums.tolist() == [[1.0, 12.0], [0.0, 0.0], [1.0, 0.0]]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, VOCABULARY - 1), max_size=15), min_size=1, max_size=8))
def test_agrees_with_the_reference_in_values_and_gradients(texts):
    batch = batch_of(texts)
    results = []
    for compute in (weighted_bag, weighted_bag_reference):
        table, weights = parameters()
        sums = compute(table, weights, batch)
        upstream = torch.randn(sums.shape, generator=torch.Generator().manual_seed(1))
        sums.backward(upstream)
        results.append((sums.detach(), table.grad, weights.grad))
    for fast, reference in zip(*results, strict=True):
        torch.testing.assert_close(fast, reference, rtol=1e-5, atol=1e-5)


def test_gradients_agree_with_finite_differences():
    table, weights = parameters()
    batch = batch_of([[0, 1, 1, 4], [2], [], [4, 4, 4, 9, 10]])
    upstream = torch.randn(4, DIMENSION, generator=torch.Generator().manual_seed(2))

    def loss(table, weights):
        return float((weighted_bag(table, weights, batch).double() * upstream).sum())

    weighted_bag(table, weights, batch).backward(upstream)
    step = 1e-2
    with torch.no_grad():
        for parameter, place in (
            (table, (4, 3)),
            (table, (1, 0)),
            (weights, (4,)),
            (weights, (1,)),
        ):
            there = parameter[place].clone()
            parameter[place] = there + step
            above = loss(table, weights)
            parameter[place] = there - step
            below = loss(table, weights)
            parameter[place] = there
            assert (above - below) / (2 * step) == pytest.approx(
                float(parameter.grad[place]), rel=1e-3, abs=1e-3
            )


def test_result_depends_neither_on_threads_nor_on_other_texts():
    rng = np.random.default_rng(0)
    table = rng.standard_normal((500, 64)).astype(np.float32)
    texts = [rng.integers(0, 500, rng.integers(0, 90)) for _ in range(300)]
    batch = token_batch(texts)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = bag_of_rows(table, batch.ids.numpy(), batch.offsets.numpy())
        torch.set_num_threads(3)
        threaded = bag_of_rows(table, batch.ids.numpy(), batch.offsets.numpy())
    finally:
        torch.set_num_threads(before)
    assert alone.tobytes() == threaded.tobytes()
    single = token_batch(texts[17:18])
    one = bag_of_rows(table, single.ids.numpy(), single.offsets.numpy())
    assert one[0].tobytes() == alone[17].tobytes()
