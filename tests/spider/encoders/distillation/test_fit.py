from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from spider.encoders.distillation.fit import (
    RIDGE,
    FitSettings,
    Targets,
    batch_rows,
    encode,
    fit_table,
    initial_table,
    take,
)
from spider.encoders.distillation.loss import distillation_loss
from spider.text.tokenizer import Tokenizer, Tokens
from spider.text.vocabulary import train_tokenizer

SETTINGS = FitSettings(steps=5, learning_rate=0.02, weight_rate=0.05, batch_size=8)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(["alder birch cedar"] * 20, vocabulary_size=60)


def targets(tokenizer: Tokenizer, rows: int, seed: int) -> Targets:
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 9, rows)
    ids = random.integers(0, tokenizer.vocabulary_size, lengths.sum()).astype(np.int32)
    vectors = random.normal(size=(rows, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Targets(Tokens(ids, np.cumsum([0, *lengths])), vectors.astype(np.float32))


def start(tokenizer: Tokenizer) -> np.ndarray:
    shape = (tokenizer.vocabulary_size, 6)
    return np.random.default_rng(9).normal(size=shape).astype(np.float32)


def reference_start(pieces: np.ndarray, sample: Targets) -> tuple[np.ndarray, np.ndarray]:
    """The initial vectors and weights, with one text at a time and an independent regression."""
    counts = np.zeros(len(pieces))
    for piece in sample.tokens.ids:
        counts[piece] += 1
    weights = 0.001 / (0.001 + counts / counts.sum())
    centred = pieces - pieces.mean(axis=0)
    sums = []
    for row in range(len(sample.vectors)):
        total = sum(weights[piece] * centred[piece] for piece in sample.tokens.of(row))
        sums.append(total / np.linalg.norm(total))
    # ridge regression is least squares with one more row for each coefficient
    rows = np.concatenate([sums, np.sqrt(RIDGE) * np.eye(pieces.shape[1])])
    wanted = np.concatenate([sample.vectors, np.zeros((pieces.shape[1], pieces.shape[1]))])
    return centred @ np.linalg.lstsq(rows, wanted)[0], weights


def reference(pieces: np.ndarray, sample: Targets, settings: FitSettings) -> np.ndarray:
    """Fit with plain sums, one text at a time, and torch's own gradients."""
    begin, shares = reference_start(pieces, sample)
    vectors = torch.tensor(begin, dtype=torch.float32).requires_grad_()
    weights = torch.tensor(np.log(shares), dtype=torch.float32).requires_grad_()
    groups = [{"params": [vectors]}, {"params": [weights]}]
    optimizer = torch.optim.Adam(groups)
    for step in range(settings.steps):
        rates = (settings.learning_rate, settings.weight_rate)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * (settings.steps - step) / settings.steps
        rows = batch_rows(step, passages=len(sample.vectors), size=settings.batch_size, seed=1)
        found = []
        for row in rows.tolist():
            ids = torch.from_numpy(sample.tokens.of(row).astype(np.int64))
            total = (weights[ids].exp()[:, None] * vectors[ids]).sum(dim=0)
            found.append(total / total.norm())
        loss, _ = distillation_loss(torch.stack(found), torch.from_numpy(sample.vectors[rows]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (vectors * weights.exp()[:, None]).detach().numpy()


def test_a_fit_is_that_of_a_readable_reference(tokenizer: Tokenizer, tmp_path: Path) -> None:
    pieces = start(tokenizer)
    sample, held_out = targets(tokenizer, 20, 1), targets(tokenizer, 4, 2)
    table = initial_table(pieces, tokenizer, sample, score_multiplier=20.0)
    before = table.folded().numpy()
    vectors, shares = reference_start(pieces, sample)
    np.testing.assert_allclose(before, vectors * shares[:, None], rtol=1e-3, atol=1e-5)
    cosine = fit_table(table, sample, held_out, SETTINGS, seed=1, folder=tmp_path)
    expected = reference(pieces, sample, SETTINGS)
    np.testing.assert_allclose(table.folded().numpy(), expected, rtol=2e-3, atol=2e-5)
    assert np.abs(expected - before).max() > 0.004
    found = encode(table, held_out.tokens)
    assert cosine == pytest.approx(float((found * held_out.vectors).sum(axis=1).mean()), abs=1e-6)


def test_a_fit_moves_the_table_towards_the_teacher(tokenizer: Tokenizer, tmp_path: Path) -> None:
    sample, held_out = targets(tokenizer, 40, 1), targets(tokenizer, 4, 2)
    table = initial_table(start(tokenizer), tokenizer, sample, score_multiplier=20.0)
    before = (encode(table, sample.tokens) * sample.vectors).sum(axis=1).mean()
    settings = replace(SETTINGS, steps=60)
    fit_table(table, sample, held_out, settings, seed=1, folder=tmp_path)
    after = (encode(table, sample.tokens) * sample.vectors).sum(axis=1).mean()
    assert after > before + 0.05


def test_a_finished_fit_is_read_again(tokenizer: Tokenizer, tmp_path: Path) -> None:
    sample, held_out = targets(tokenizer, 20, 1), targets(tokenizer, 4, 2)
    tables = [
        initial_table(start(tokenizer), tokenizer, sample, score_multiplier=20.0) for _ in "ab"
    ]
    cosines = [fit_table(t, sample, held_out, SETTINGS, seed=1, folder=tmp_path) for t in tables]
    assert cosines[0] == cosines[1]
    assert torch.equal(tables[0].folded(), tables[1].folded())


def test_every_passage_comes_once_before_one_comes_again() -> None:
    rows = [batch_rows(step, passages=12, size=4, seed=5).tolist() for step in range(6)]
    assert sorted(np.ravel(rows[:3])) == sorted(np.ravel(rows[3:])) == list(range(12))
    assert rows[:3] != rows[3:]
    assert rows[4] == batch_rows(4, passages=12, size=4, seed=5).tolist()
    assert batch_rows(7, passages=3, size=3, seed=0).shape == (3,)


def test_taken_tokens_are_those_of_the_texts() -> None:
    tokens = Tokens(np.arange(7, dtype=np.int32), np.array([0, 2, 2, 7]))
    batch = take(tokens, np.array([2, 1, 0]))
    assert batch.ids.tolist() == [2, 3, 4, 5, 6, 0, 1]
    assert batch.offsets.tolist() == [0, 5, 5, 7]
