"""The attention reference against a loop over single queries and PyTorch's own attention."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from jamba_reader.ops.attention.reference import (
    attend,
    attention,
    attention_with_memory,
    decode_attention,
)
from jamba_reader.ops.segments import Segments


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_two_tokens_by_hand() -> None:
    """The first sees itself; the second weighs its two keys by e**(1/2 · 2 ln 3) = 3 to 1."""
    query = torch.tensor([[[5.0]], [[1.0]]], dtype=torch.float64)
    keys = torch.tensor([[[2 * math.log(3)], [0.0]]], dtype=torch.float64)
    values = torch.tensor([[[8.0], [16.0]]], dtype=torch.float64)
    found = attend(query, keys, values, scale=0.5)
    assert found.flatten().tolist() == pytest.approx([8.0, (3 * 8 + 16) / 4])


def test_it_is_the_softmax_over_visible_keys() -> None:
    query, keys, values = drawn(3, 6, 4), drawn(2, 5, 4, seed=1), drawn(2, 5, 4, seed=2)
    found = attend(query, keys, values, scale=0.3).numpy()
    for i in range(3):
        for head in range(6):
            # three query heads share a key head; two keys came before the queries
            key, value = keys[head // 3, : 3 + i].numpy(), values[head // 3, : 3 + i].numpy()
            weights = np.exp(0.3 * key @ query[i, head].numpy())
            np.testing.assert_allclose(found[i, head], weights @ value / weights.sum())


def test_a_packed_batch_is_pytorchs_causal_attention_of_each_sequence() -> None:
    segments = Segments([4, 0, 1, 6])
    query, key, value = drawn(11, 4, 8), drawn(11, 4, 8, seed=1), drawn(11, 4, 8, seed=2)
    found = attention(query, key, value, segments, scale=0.25)
    for rows in segments.slices:
        heads_first = [t[rows].transpose(0, 1) for t in (query, key, value)]
        expected = scaled_dot_product_attention(*heads_first, is_causal=True, scale=0.25)
        torch.testing.assert_close(found[rows], expected.transpose(0, 1))


def test_a_memory_of_all_tokens_is_no_memory() -> None:
    segments = Segments([3, 2])
    query, key, value = drawn(5, 2, 4), drawn(5, 1, 4, seed=1), drawn(5, 1, 4, seed=2)
    held = torch.full((2, 2, 1, 7, 4), torch.nan, dtype=torch.float64)
    for sequence, rows in enumerate(segments.slices):
        for memory, tokens in zip(held, (key, value), strict=True):
            memory[sequence, :, : rows.stop - rows.start] = tokens[rows].transpose(0, 1)
    found = attention_with_memory(query, *held, segments, [3, 2], scale=0.5)
    torch.testing.assert_close(found, attention(query, key, value, segments, scale=0.5))
    # one token of each sequence is the last row of its prompt
    last = segments.last_rows("cpu")
    decoded = decode_attention(query[last], *held, torch.tensor([3, 2]), 0.5)
    torch.testing.assert_close(decoded, found[last])


def test_narrow_types_are_widened_for_the_scores() -> None:
    query, keys, values = (drawn(4, 2, 8), drawn(2, 6, 8, seed=1), drawn(2, 6, 8, seed=2))
    narrow = [tensor.bfloat16() for tensor in (query, keys, values)]
    found = attend(*narrow, scale=0.3)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, attend(*(t.float() for t in narrow), scale=0.3).bfloat16())


def test_dropout_removes_weights_and_scales_up_the_rest() -> None:
    query, keys = torch.zeros(1, 1, 4, dtype=torch.float64), drawn(1, 4000, 4)
    values = torch.ones(1, 4000, 4, dtype=torch.float64)
    torch.manual_seed(0)
    found = attend(query, keys, values, scale=1.0, dropout=0.25)
    # the share of the kept weights: 3000 ± 27 of 4000, times 4 / 3
    assert found[0, 0, 0].item() == pytest.approx(1.0, abs=0.05)
    assert found[0, 0, 0] != 1
    (kept,) = set((found[0, 0] * 4000 * 0.75).round(decimals=6).tolist())
    assert kept == round(kept)


def test_gradients_are_those_of_finite_differences() -> None:
    segments = Segments([2, 0, 3])
    tensors = [drawn(5, 2, 3), drawn(5, 1, 3, seed=1), drawn(5, 1, 3, seed=2)]

    def run(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return attention(query, key, value, segments, scale=0.6)

    assert torch.autograd.gradcheck(run, [tensor.requires_grad_() for tensor in tensors])
