"""Scores to tokens: parity with transformers' processors, and the draw's distribution."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.generation import logits_process as theirs

from jamba_reader.generation.sampling import (
    draw,
    keep_top_k,
    keep_top_p,
    penalise_repetition,
    row_random,
    warp,
)


def scores(rows: int = 5, vocabulary: int = 60, seed: int = 0) -> torch.Tensor:
    return 3.0 * torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("penalty", [0.7, 1.0, 1.8])
def test_repetition_penalty(penalty: float) -> None:
    ids = torch.randint(0, 60, (5, 9), generator=torch.Generator().manual_seed(1))
    seen = torch.zeros(5, 60, dtype=torch.bool).scatter(1, ids, value=True)
    expected = theirs.RepetitionPenaltyLogitsProcessor(penalty)(ids, scores())
    torch.testing.assert_close(penalise_repetition(scores(), seen, penalty), expected)


@pytest.mark.parametrize("k", [1, 3, 59, 60, 100])
def test_top_k(k: int) -> None:
    tied = scores().round()
    expected = theirs.TopKLogitsWarper(k)(torch.zeros(5, 1).long(), tied)
    torch.testing.assert_close(keep_top_k(tied, k), expected)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_top_p(p: float) -> None:
    expected = theirs.TopPLogitsWarper(p)(torch.zeros(5, 1).long(), scores())
    torch.testing.assert_close(keep_top_p(scores(), p), expected)


def test_all_in_transformers_order() -> None:
    none = torch.zeros(5, 1).long()
    expected = theirs.TemperatureLogitsWarper(0.6)(none, scores())
    expected = theirs.TopKLogitsWarper(20)(none, expected)
    expected = theirs.TopPLogitsWarper(0.8)(none, expected)
    torch.testing.assert_close(warp(scores(), temperature=0.6, top_k=20, top_p=0.8), expected)
    unchanged = warp(scores(), temperature=1.0, top_k=0, top_p=1.0)
    torch.testing.assert_close(unchanged, scores())


def test_the_draw_follows_the_distribution() -> None:
    row = torch.tensor([[0.0, 1.0, -torch.inf, 2.0, -1.0, -torch.inf]])
    count = 20_000
    uniforms = np.random.default_rng(0).random(count).tolist()
    drawn = draw(row.expand(count, -1), uniforms)
    frequencies = torch.bincount(drawn, minlength=6) / count
    # five standard deviations of a frequency
    torch.testing.assert_close(frequencies, row[0].softmax(0), atol=5 * 0.5 / count**0.5, rtol=0.0)
    assert frequencies[2] == frequencies[5] == 0.0


@settings(max_examples=100)
@given(st.integers(0, 1000), st.sampled_from([0.0, 1.0 - 2.0**-53, 0.5]))
def test_what_is_forbidden_is_never_drawn(seed: int, uniform: float) -> None:
    row = scores(1, 40, seed)
    row[0, torch.randperm(40, generator=torch.Generator().manual_seed(seed))[:39]] = -torch.inf
    assert row[0, draw(row, [uniform])[0]] > -torch.inf


def test_a_row_draws_the_same_numbers_wherever_it_stands() -> None:
    first = row_random(3, [1, 2], 0).random(4).tolist()
    assert row_random(3, [1, 2], 0).random(4).tolist() == first
    others = [row_random(4, [1, 2], 0), row_random(3, [1, 3], 0), row_random(3, [1, 2], 1)]
    assert all(other.random(4).tolist() != first for other in others)


@pytest.mark.parametrize("temperature", [1e-300, 1e-45, 1e-20])
def test_next_to_no_temperature_draws_the_best(temperature: float) -> None:
    cold = warp(100.0 * scores(), temperature=temperature, top_k=7, top_p=0.9)
    assert torch.equal(draw(cold, [0.0, 0.3, 0.5, 0.9, 1.0 - 2.0**-53]), scores().argmax(dim=1))
