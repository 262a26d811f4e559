from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spider.corpus.corpus import Corpus
from spider.encoders.bert import BertSettings
from spider.encoders.distillation import teacher_vectors
from spider.encoders.distillation.teacher_vectors import TeacherVectors, piece_vectors
from spider.errors import CheckpointError


class Counting:
    """Vectors that are a function of the text, and the number of encoded passages."""

    dimension = 3

    def __init__(self, fail_at: int = 10**9, bad: bool = False):
        self.encoded = 0
        self.fail_at = fail_at
        self.bad = bad

    def encode_passages(self, titles: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        self.encoded += len(texts)
        if self.encoded > self.fail_at:
            raise KeyboardInterrupt
        rows = [
            [1.0, len(text), sum(map(ord, title + text)) % 97]
            for title, text in zip(titles, texts, strict=True)
        ]
        return np.array(rows, np.float32) * (np.nan if self.bad else 2.0)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher_vectors, "SHARD_PASSAGES", 10)
    monkeypatch.setattr(teacher_vectors, "SHARD_PIECES", 32)
    monkeypatch.setattr(teacher_vectors, "BATCH_PIECES", 7)


def vectors_of(folder: Path, corpus: Corpus, encoder: Any) -> TeacherVectors:
    positions = np.random.default_rng(1).permutation(len(corpus))
    return TeacherVectors(folder, corpus, positions, encoder, label="encode")


def test_a_larger_sample_and_a_killed_one_encode_no_passage_twice(
    corpus: Corpus, tmp_path: Path
) -> None:
    whole = vectors_of(tmp_path / "whole", corpus, Counting()).first(35)
    assert np.linalg.norm(whole, axis=1) == pytest.approx(1.0)
    with pytest.raises(KeyboardInterrupt):
        vectors_of(tmp_path / "parts", corpus, Counting(fail_at=25)).first(35)
    encoder = Counting()
    parts = vectors_of(tmp_path / "parts", corpus, encoder)
    assert np.array_equal(parts.first(12), whole[:12])
    assert encoder.encoded == 0
    assert np.array_equal(parts.first(35), whole)
    assert encoder.encoded == 20
    assert len(parts.first(len(corpus))) == len(corpus)


def test_no_passage_gives_no_vector(corpus: Corpus, tmp_path: Path) -> None:
    assert vectors_of(tmp_path, corpus, Counting()).first(0).shape == (0, 3)


def test_vectors_that_are_not_finite_are_refused(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="not finite"):
        vectors_of(tmp_path, corpus, Counting(bad=True)).first(5)


def test_vectors_of_another_dimension_are_refused(corpus: Corpus, tmp_path: Path) -> None:
    vectors_of(tmp_path, corpus, Counting()).first(5)
    other = Counting()
    other.dimension = 4
    with pytest.raises(CheckpointError, match="the teacher gives 4"):
        vectors_of(tmp_path, corpus, other).first(5)


def test_a_piece_is_encoded_alone_between_the_special_tokens(teacher: Path, tmp_path: Path) -> None:
    settings = BertSettings(start=str(teacher))
    (tmp_path / "tokenizer").mkdir()
    module = settings.build(settings.tokenizer([], tmp_path / "tokenizer"), seed=0).eval()
    found = piece_vectors(tmp_path / "pieces", module)
    tokenizer = module.tokenizer
    assert found.shape == (tokenizer.vocabulary_size, 16)
    for piece in (5, 40, tokenizer.vocabulary_size - 1):
        ids = torch.tensor([[tokenizer.cls_id, piece, tokenizer.sep_id]])
        with torch.no_grad():
            expected = module.encode_padded(ids, torch.ones_like(ids), passages=True)[0].numpy()
        np.testing.assert_allclose(found[piece], expected, atol=1e-5)
