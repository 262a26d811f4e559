"""Training an encoder: what is trained on, what is exported, and what its card says."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pretrain.pairings.recurring_span import RecurringSpan
from pretrain.training.batch import Collator
from pretrain.training.encoder_training import EncoderTraining, make_optimizer
from pretrain.training.objective import ContrastiveObjective
from pretrain.training.pair_sources import pair_stream
from pretrain.training.settings import ContrastiveSettings
from spider.encoders.bert import BertSettings
from spider.encoders.static import StaticSettings
from spider.encoders.static import load as load_static
from spider.errors import ConfigError, DataError, SettingError
from spider.questions.transforms.random_window import RandomWindow
from spider.text.token_store import build_token_store
from spider.training.settings import TrainingSettings
from spider.training.updates import Updates


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


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_the_updates_of_a_transformer_have_the_configured_precision(
    precision: Any, training_corpus: tuple, tmp_path: Path, product_types: Any
) -> None:
    corpus, spans, _, _ = training_corpus
    small = {"hidden": 16, "layers": 1, "heads": 2, "vocabulary_size": 200}
    settings = ContrastiveSettings(
        architecture=BertSettings(**small, max_passage_length=48),  # type: ignore[arg-type]
        pairings={"recurring_span": RecurringSpan(transform=RandomWindow())},
        enlarge_few=False,
        batch_size=4,
        training=TrainingSettings(steps=0, device="cpu", precision=precision),
    )
    tokenizer = settings.architecture.tokenizer(["amber basalt cedar"] * 9, tmp_path)
    objective = ContrastiveObjective(settings.architecture.build(tokenizer, seed=0))
    tokens = build_token_store(corpus, tokenizer, tmp_path / "tokens")
    stream, _ = pair_stream(settings, corpus, spans, tokens, adapts=False)
    collator = Collator(
        tokens=tokens, document_number=corpus.document_number, encoder=objective.encoder
    )
    updates = Updates(
        objective, lambda _: make_optimizer(objective.encoder, 1e-4), settings.training
    )
    expected = {torch.bfloat16} if precision == "bf16" else {torch.float32}
    with product_types() as found:
        objective.encoder.encode_tokens(
            collator.collate(stream.examples(0), range(4)).queries, passages=False
        )
    assert found == {torch.float32}, "outside of an update, as in validation"
    with product_types() as found:
        updates.update(collator.collate(stream.examples(0), range(4)), 1, steps=1)
    # the scores, queries times passages, and their gradients are float32
    assert found == expected | {torch.float32}
    with product_types() as found, updates.accelerator.autocast():
        objective.encoder.encode_tokens(
            collator.collate(stream.examples(0), range(4)).queries, passages=False
        )
    assert found == expected


def test_a_precision_without_effect_is_refused() -> None:
    with pytest.raises(
        SettingError, match=r"training\.precision: got 'bf16', expected no: .*static"
    ):
        _training(precision="bf16")


@pytest.mark.parametrize(
    ("chosen", "start", "expected"), [(None, "", 2e-4), (None, "x", 2e-5), (1e-3, "x", 1e-3)]
)
def test_the_learning_rate_is_the_architectures_unless_it_is_set(
    chosen: float | None, start: str, expected: float
) -> None:
    settings = ContrastiveSettings(
        architecture=BertSettings(start=start),
        pairings={},
        training=TrainingSettings(learning_rate=chosen),
    )
    assert settings.learning_rate == expected


def test_documents_that_are_held_out_are_said_or_refused(
    training_corpus: tuple, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    corpus, spans, _, _ = training_corpus
    with caplog.at_level("INFO"):
        _training().run(corpus, spans, tmp_path)
    assert "of the usable documents are held out of training" in caplog.text
    settings = replace(_training().settings, all_documents=True)
    with pytest.raises(ConfigError, match=r"holds 9% of the documents out .*all_documents=false"):
        EncoderTraining(settings).run(corpus, spans, tmp_path)
