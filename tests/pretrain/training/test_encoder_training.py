"""Training an encoder: what is trained on, what is exported, and what its card says."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pretrain.pairings.recurring_span import RecurringSpan
from pretrain.training.encoder_training import EncoderTraining, make_optimizer
from pretrain.training.settings import ContrastiveSettings
from spider.encoders.static import StaticSettings
from spider.encoders.static import load as load_static
from spider.errors import DataError
from spider.questions.transforms.random_window import RandomWindow
from spider.training.settings import TrainingSettings


def _training(**changes: object) -> EncoderTraining:
    enlarge_few = bool(changes.pop("enlarge_few", False))
    settings = {"steps": 2, "device": "cpu", "learning_rate": 0.01, **changes}
    return EncoderTraining(
        ContrastiveSettings(
            architecture=StaticSettings(dimension=8, vocabulary_size=200),
            pairings={"recurring_span": RecurringSpan(transform=RandomWindow())},
            enlarge_few=enlarge_few,
            batch_size=4,
            training=TrainingSettings(**settings),  # type: ignore[arg-type]
        )
    )


def test_the_record_and_the_files_agree(training_corpus: tuple, tmp_path: Path) -> None:
    corpus, spans, _, _ = training_corpus
    result = _training().run(corpus, spans, tmp_path)
    assert result.record is not None
    assert result.record.training is not None
    assert result.record.training.steps == result.counts["steps"] == 2
    assert result.record.training.pairs == {"recurring_span": len(spans.train_clusters())}
    assert result.record.training.note == ""
    assert load_static(tmp_path, result.record).dimension == result.record.dimension == 8
    card = (tmp_path / "README.md").read_text()
    assert f"{len(spans.train_clusters()):,} recurring_span pairs" in card
    assert "| steps | 2 |" in card


def test_few_pairs_are_enlarged_and_the_record_says_so(
    training_corpus: tuple, tmp_path: Path
) -> None:
    corpus, spans, _, _ = training_corpus
    record = _training(enlarge_few=True).run(corpus, spans, tmp_path).record
    assert record is not None
    assert record.training is not None
    assert set(record.training.pairs or {}) == {"recurring_span", "independent_crop", "title"}
    assert "crop and title pairs are added" in (record.training.note or "")
    assert record.training.note in (tmp_path / "README.md").read_text()


def test_without_steps_the_start_is_exported(training_corpus: tuple, tmp_path: Path) -> None:
    corpus, spans, _, _ = training_corpus
    record = _training(steps=0).run(corpus, spans, tmp_path).record
    assert record is not None
    assert record.to_details()["training"] == {"steps": 0, "validation": {}}
    assert "Not trained here" in (tmp_path / "README.md").read_text()


def test_the_same_seed_gives_the_same_weights(training_corpus: tuple, tmp_path: Path) -> None:
    corpus, spans, _, _ = training_corpus
    found = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        (tmp_path / name).mkdir()
        record = _training(seed=seed).run(corpus, spans, tmp_path / name).record
        assert record is not None
        found.append(load_static(tmp_path / name, record).encode_questions(["amber basalt"]))
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_an_empty_corpus_is_refused(make_corpus, training_corpus: tuple, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the corpus has no passage"):
        _training().run(make_corpus([]), training_corpus[1], tmp_path)


def test_the_optimiser_has_the_papers_constants(training_corpus: tuple) -> None:
    encoder = StaticSettings(dimension=8).build(training_corpus[2], seed=0)
    optimizer = make_optimizer(encoder, 0.5)
    assert isinstance(optimizer, torch.optim.AdamW)
    assert optimizer.defaults["betas"] == (0.9, 0.999)
    assert optimizer.defaults["eps"] == 1e-8
