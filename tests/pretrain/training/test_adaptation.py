"""Adaptation of an encoder of texts: what is chosen, and that it never loses the start."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from pretrain.pairings.recurring_span import RecurringSpan
from pretrain.training import encoder_training
from pretrain.training.adaptation import AdaptationSettings, adaptation_steps
from pretrain.training.encoder_training import EncoderTraining, TrainedEncoder
from pretrain.training.objective import similarity_drift
from pretrain.training.settings import ContrastiveSettings
from spider.encoders.bert import BertSettings
from spider.encoders.static import StaticSettings
from spider.errors import InterruptedRunError, SettingError
from spider.questions.transforms.random_window import RandomWindow
from spider.training.metrics import read_metrics
from spider.training.settings import TrainingSettings

SMALL = {"hidden": 16, "layers": 1, "heads": 2}


@pytest.fixture(scope="module")
def start(training_corpus: tuple, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of sentence-transformers with random weights."""
    folder = tmp_path_factory.mktemp("start")
    settings = BertSettings(**SMALL, pooling="mean", normalize=True)  # type: ignore[arg-type]
    settings.build(training_corpus[2], seed=5).export(folder)
    return folder


def run(
    training_corpus: tuple,
    folder: Path,
    start: Path | str,
    *,
    architecture: dict[str, Any] | None = None,
    batch_size: int | None = 4,
    **adaptation: Any,
) -> TrainedEncoder:
    folder.mkdir(exist_ok=True)
    settings = ContrastiveSettings(
        architecture=BertSettings(start=str(start), **(architecture or {})),
        pairings={"recurring_span": RecurringSpan(transform=RandomWindow())},
        enlarge_few=False,
        batch_size=batch_size,
        training=TrainingSettings(
            device="cpu", learning_rate=0.01, precision="no", save_every=2, log_every=1, steps=4
        ),
        adaptation=AdaptationSettings(**adaptation),
    )
    corpus, spans, _, _ = training_corpus
    return EncoderTraining(settings).run(corpus, spans, folder)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(folder / "model.safetensors")


@pytest.mark.parametrize(
    ("pairs", "batch_size", "steps"), [(0, 64, 10), (640, 64, 10), (1920, 64, 30), (10**6, 64, 40)]
)
def test_the_steps_suit_the_pairs(pairs: int, batch_size: int, steps: int) -> None:
    assert adaptation_steps(pairs, batch_size) == steps


def test_what_is_left_open_is_chosen_and_recorded(
    training_corpus: tuple, start: Path, tmp_path: Path
) -> None:
    corpus, spans, _, _ = training_corpus
    settings = ContrastiveSettings(
        architecture=BertSettings(start=str(start)),
        pairings={"recurring_span": RecurringSpan(transform=RandomWindow())},
        training=TrainingSettings(device="cpu"),
    )
    result = EncoderTraining(settings).run(corpus, spans, tmp_path)
    assert result.record is not None
    training = result.record.training
    assert training is not None
    assert training.interpolation is not None
    assert training.interpolation.chosen_by == "validation"
    assert set(training.interpolation.mean_reciprocal_rank) == {"0", "0.25", "0.5", "1"}
    assert training.steps == 10
    assert training.learning_rate == 2e-5
    assert training.precision in ("no", "bf16")
    assert result.record.pooling == "mean, normalise"
    assert result.record.score_multiplier == 20
    validation = [line for line in read_metrics(tmp_path) if line["split"] == "validation"]
    measured = training.interpolation.mean_reciprocal_rank
    assert measured["0"] == validation[0]["mean_reciprocal_rank"]
    assert measured["1"] == validation[-1]["mean_reciprocal_rank"]


def test_the_weights_are_between_start_and_trained(
    training_corpus: tuple, start: Path, tmp_path: Path
) -> None:
    found = {}
    for share in (0.0, 0.5, 1.0):
        result = run(training_corpus, tmp_path / str(share), start, interpolation=share)
        assert result.record is not None
        assert result.record.training is not None
        assert result.record.training.interpolation is not None
        assert result.record.training.interpolation.chosen_by == "setting"
        found[share] = weights(tmp_path / str(share))
    before = weights(start)
    moved = 0
    for name, value in before.items():
        assert torch.equal(found[0.0][name], value), name
        middle = torch.lerp(value, found[1.0][name], 0.5)
        torch.testing.assert_close(found[0.5][name], middle, rtol=1e-5, atol=1e-7)
        moved += not torch.equal(found[1.0][name], value)
    assert moved > 10


def test_an_interrupted_adaptation_gives_the_same_files(
    training_corpus: tuple, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(training_corpus, tmp_path / "whole", start)
    collate = encoder_training.Collator.collate
    calls: list[int] = []

    def stop_at_third(self: Any, examples: Any, rows: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return collate(self, examples, rows)

    monkeypatch.setattr(encoder_training.Collator, "collate", stop_at_third)
    with pytest.raises(InterruptedRunError):
        run(training_corpus, tmp_path / "again", start)
    # the second try is killed after the last update, before the weights are interpolated
    with monkeypatch.context() as patch:
        patch.setattr(encoder_training, "return_to_start", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(training_corpus, tmp_path / "again", start)
    again = run(training_corpus, tmp_path / "again", start)
    assert again.record == whole.record
    for name in ("model.safetensors", "metrics.jsonl"):
        files = [tmp_path / folder / name for folder in ("whole", "again")]
        assert files[0].read_bytes() == files[1].read_bytes(), name


def test_replay_keeps_the_similarities_of_the_start(
    training_corpus: tuple, start: Path, tmp_path: Path
) -> None:
    drift = {}
    for replay in (1e-6, 10.0):
        run(training_corpus, tmp_path / str(replay), start, interpolation=1.0, replay=replay)
        lines = [line for line in read_metrics(tmp_path / str(replay)) if line["split"] == "train"]
        drift[replay] = lines[-1]["replay"]
        moved = [
            float((value - weights(tmp_path / str(replay))[name]).abs().max())
            for name, value in weights(start).items()
        ]
        assert max(moved) > 0
    assert 0 < drift[10.0] < 0.9 * drift[1e-6]
    stored = weights(tmp_path / "10.0")
    assert not [name for name in stored if "start" in name]


def test_drift_computed_by_hand() -> None:
    before, now = torch.tensor([[0.0, np.log(3.0)]]), torch.tensor([[0.0, 0.0]])
    # the distributions are one and three quarters, and two halves
    expected = 0.25 * np.log(0.5) + 0.75 * np.log(1.5)
    assert float(similarity_drift(before, now)) == pytest.approx(expected, rel=1e-6)
    assert float(similarity_drift(before, before)) == 0.0


def test_a_plain_language_model_is_trained_as_in_the_paper(
    training_corpus: tuple, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    settings = BertSettings(**SMALL)  # type: ignore[arg-type]
    settings.build(training_corpus[2], seed=5).passages.model.save_pretrained(plain)
    training_corpus[2].save(plain)
    assert not BertSettings(start=str(plain)).adapts()
    result = run(training_corpus, tmp_path / "encoder", plain)
    assert result.record is not None
    assert result.record.training is not None
    assert result.record.training.interpolation is None
    with pytest.raises(SettingError, match=r"adaptation\.interpolation: got 0\.5, expected null"):
        run(training_corpus, tmp_path / "other", plain, interpolation=0.5)


def test_static_has_nothing_to_adapt(training_corpus: tuple, tmp_path: Path) -> None:
    settings = ContrastiveSettings(
        architecture=StaticSettings(dimension=8),
        pairings={"recurring_span": RecurringSpan(transform=RandomWindow())},
        training=TrainingSettings(device="cpu", steps=1),
        adaptation=AdaptationSettings(replay=0.5),
    )
    corpus, spans, _, _ = training_corpus
    with pytest.raises(SettingError, match=r"adaptation\.replay: got 0\.5, expected 0"):
        EncoderTraining(settings).run(corpus, spans, tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("interpolation", -0.1), ("interpolation", 1.5), ("interpolation", float("nan")),
        ("replay", -1.0), ("replay", float("inf")), ("replay", float("nan")),
        ("passage_length", 7), ("passage_length", -1),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_named(key: str, value: float) -> None:
    with pytest.raises(SettingError) as caught:
        AdaptationSettings(**{key: value})
    assert caught.value.key == key


def test_passages_are_cut_in_the_updates_alone(
    training_corpus: tuple, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []
    collate = encoder_training.Collator.collate

    def note(self: Any, examples: Any, rows: Any) -> Any:
        batch = collate(self, examples, rows)
        lengths.append(int(batch.passages.lengths.max()))
        return batch

    monkeypatch.setattr(encoder_training.Collator, "collate", note)
    result = run(training_corpus, tmp_path / "cut", start, passage_length=20)
    assert max(lengths) <= 20 + 3  # [CLS], [SEP] and the separator of title and text
    assert result.record is not None
    assert result.record.max_length is not None
    assert result.record.max_length.passage > 100
    lengths.clear()
    run(training_corpus, tmp_path / "whole", start, passage_length=None)
    assert max(lengths) > 23


@pytest.mark.parametrize("negatives", [False, True])
def test_negatives_of_the_document_are_optional(
    negatives: bool,
    training_corpus: tuple,
    start: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns: set[int] = set()
    collate = encoder_training.Collator.collate

    def note(self: Any, examples: Any, rows: Any) -> Any:
        batch = collate(self, examples, rows)
        columns.add(len(batch.columns))
        return batch

    monkeypatch.setattr(encoder_training.Collator, "collate", note)
    run(training_corpus, tmp_path / "encoder", start, negatives=negatives, interpolation=1.0)
    assert columns == ({8} if negatives else {4})


def test_an_untrained_start_is_written_as_it_is(
    training_corpus: tuple, start: Path, tmp_path: Path
) -> None:
    corpus, spans, _, _ = training_corpus
    settings = ContrastiveSettings(
        architecture=BertSettings(start=str(start)),
        pairings={"recurring_span": RecurringSpan(transform=RandomWindow())},
        training=TrainingSettings(device="cpu", steps=0),
        adaptation=AdaptationSettings(interpolation=0.5),
    )
    result = EncoderTraining(settings).run(corpus, spans, tmp_path)
    assert result.record is not None
    assert result.record.training is not None
    assert (result.record.training.steps, result.record.training.interpolation) == (0, None)
    for name, value in weights(start).items():
        assert torch.equal(weights(tmp_path)[name], value), name
