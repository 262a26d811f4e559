from pathlib import Path

import numpy as np
import pytest
import torch

from spider.encoders.distillation.fit import (
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


def start(tokenizer: Tokenizer) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(9)
    pieces = random.normal(size=(tokenizer.vocabulary_size, 6)).astype(np.float32)
    frequencies = random.dirichlet(np.ones(tokenizer.vocabulary_size))
    return pieces, frequencies


def reference(
    pieces: np.ndarray, frequencies: np.ndarray, sample: Targets, settings: FitSettings
) -> np.ndarray:
    """Fit with plain sums, one text at a time, and torch's own gradients."""
    vectors = torch.from_numpy(pieces - pieces.mean(axis=0)).requires_grad_()
    weights = torch.tensor(np.log(0.001 / (0.001 + frequencies)), dtype=torch.float32)
    weights.requires_grad_()
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
    pieces, frequencies = start(tokenizer)
    sample, held_out = targets(tokenizer, 20, 1), targets(tokenizer, 4, 2)
    table = initial_table(pieces, frequencies, tokenizer, score_multiplier=20.0)
    before = table.folded().numpy()
    cosine = fit_table(table, sample, held_out, SETTINGS, seed=1, folder=tmp_path)
    expected = reference(pieces, frequencies, sample, SETTINGS)
    np.testing.assert_allclose(table.folded().numpy(), expected, rtol=2e-3, atol=2e-5)
    assert np.abs(expected - before).max() > 0.01
    found = encode(table, held_out.tokens)
    assert cosine == pytest.approx(float((found * held_out.vectors).sum(axis=1).mean()), abs=1e-6)


def test_a_finished_fit_is_read_again(tokenizer: Tokenizer, tmp_path: Path) -> None:
    sample, held_out = targets(tokenizer, 20, 1), targets(tokenizer, 4, 2)
    tables = [initial_table(*start(tokenizer), tokenizer, score_multiplier=20.0) for _ in "ab"]
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
