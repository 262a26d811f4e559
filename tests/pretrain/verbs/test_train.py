import os
import signal
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pretrain.pairings.recurring_span import RecurringSpan
from pretrain.pairings.title import Title
from pretrain.training import encoder_training
from pretrain.verbs.train import TrainSettings, main
from spider.artifacts.artifact import open_artifact
from spider.encoders.loading import load_encoder
from spider.encoders.static import StaticSettings
from spider.errors import ArtifactError, DataError, InterruptedRunError
from spider.launch.typed.content import content
from spider.questions.transforms.random_window import RandomWindow
from spider.training.metrics import METRICS, read_metrics
from spider.training.settings import TrainingSettings


def _config(training_corpus: tuple, output: Path, **changes: Any) -> TrainSettings:
    corpus, spans, _, _ = training_corpus
    settings: dict[str, Any] = {
        "architecture": StaticSettings(dimension=16, vocabulary_size=1000),
        "pairings": {"recurring_span": RecurringSpan(transform=RandomWindow())},
        "enlarge_few": False,
        "batch_size": 8,
    } | changes
    run = {"steps": 6, "log_every": 2, "validate_every": 3, "save_every": 2, "device": "cpu"}
    names = {field.name for field in fields(TrainingSettings)}
    run |= {name: settings.pop(name) for name in names & settings.keys()}
    settings["training"] = TrainingSettings(**run)
    resolved = {"training": {name: repr(value) for name, value in changes.items()}}
    return TrainSettings(
        corpus=corpus.path, spans=spans.path, output=output, resolved=resolved, **settings
    )


@pytest.fixture(scope="module")
def trained(training_corpus: tuple, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("trained") / "encoder"
    main(_config(training_corpus, output))
    return output


def test_the_artifact_is_whole_and_loads(trained: Path) -> None:
    artifact = open_artifact(trained, kind="encoder")
    assert artifact.variant == "static"
    assert artifact.counts["steps"] == 6
    assert artifact.details["dimension"] == 16
    card = (artifact.path / "README.md").read_text()
    assert "README.md" in artifact.manifest["files"]
    assert "recurring_span pairs" in card
    assert str(artifact.path.parent) not in card
    assert artifact.details["training"]["batch_size"] == 8
    assert "recall_at_20" in artifact.details["training"]["validation"]
    names = {path.name for path in trained.iterdir()}
    assert not names & {"checkpoints", "tokens", "tokenizer"}
    assert (trained / "training" / "tables.safetensors").is_file()
    assert [line["step"] for line in read_metrics(trained) if line["split"] == "train"] == [2, 4, 6]
    vectors = load_encoder(trained).encode_passages(["Title"], ["amber basalt"])
    assert np.linalg.norm(vectors) == pytest.approx(1.0, abs=1e-3)


def test_an_interrupted_training_resumes_to_the_same_hash(
    trained: Path, training_corpus: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collate = encoder_training.Collator.collate
    calls = []

    def stop_at_fifth(self: Any, examples: Any, rows: Any) -> Any:
        calls.append(rows)
        if len(calls) == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        return collate(self, examples, rows)

    monkeypatch.setattr(encoder_training.Collator, "collate", stop_at_fifth)
    output = tmp_path / "encoder"
    with pytest.raises(InterruptedRunError, match="of 6 and saved"):
        main(_config(training_corpus, output))
    assert not output.exists()
    main(_config(training_corpus, output))
    assert (output / METRICS).read_bytes() == (trained / METRICS).read_bytes()
    assert open_artifact(output).content_hash == open_artifact(trained).content_hash


def test_up_to_date_is_not_trained_again_and_other_settings_need_overwrite(
    trained: Path, training_corpus: tuple
) -> None:
    before = (trained / "manifest.json").stat().st_mtime_ns
    main(_config(training_corpus, trained))
    assert (trained / "manifest.json").stat().st_mtime_ns == before
    with pytest.raises(ArtifactError, match="overwrite=true"):
        main(_config(training_corpus, trained, seed=1))


def test_how_often_state_is_saved_leaves_a_finished_encoder_up_to_date(
    trained: Path, training_corpus: tuple
) -> None:
    before = (trained / "manifest.json").read_bytes()
    config = _config(training_corpus, trained)
    otherwise = {"training": {"save_every": 1, "keep": 9, "device": "cpu"}}
    main(replace(config, resolved=content(TrainSettings, otherwise)))
    assert (trained / "manifest.json").read_bytes() == before
    with pytest.raises(ArtifactError, match="overwrite=true"):
        main(replace(config, resolved=content(TrainSettings, {"training": {"log_every": 1}})))


def test_a_kill_while_the_artifact_is_hashed_loses_no_training(
    trained: Path, training_corpus: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    def die(path: Path) -> str:
        raise KilledError

    output = tmp_path / "encoder"
    with monkeypatch.context() as patch:
        patch.setattr("spider.artifacts.folder.file_table.hash_file", die)
        with pytest.raises(KilledError):
            main(_config(training_corpus, output))

    def no_batch(*_: Any) -> Any:
        pytest.fail("trained again")

    monkeypatch.setattr(encoder_training.Collator, "collate", no_batch)
    main(_config(training_corpus, output))
    assert (output / METRICS).read_bytes() == (trained / METRICS).read_bytes()
    assert open_artifact(output).content_hash == open_artifact(trained).content_hash
    assert {path.name for path in output.iterdir()} == {path.name for path in trained.iterdir()}


def test_a_changed_local_vocabulary_makes_the_encoder_stale(
    training_corpus: tuple, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    training_corpus[2].save(source)
    settings = StaticSettings(dimension=8, start_tokenizer=str(source))
    config = _config(training_corpus, tmp_path / "encoder", architecture=settings, steps=0)
    main(config)
    before = (tmp_path / "encoder" / "manifest.json").read_bytes()
    (source / "tokenizer.json").touch()
    main(config)
    assert (tmp_path / "encoder" / "manifest.json").read_bytes() == before
    (source / "tokenizer.json").write_text((source / "tokenizer.json").read_text() + " ")
    with pytest.raises(ArtifactError, match="overwrite=true"):
        main(config)


def test_no_steps_write_the_untrained_encoder(training_corpus: tuple, tmp_path: Path) -> None:
    main(_config(training_corpus, tmp_path / "encoder", steps=0))
    artifact = open_artifact(tmp_path / "encoder", kind="encoder")
    assert artifact.counts["steps"] == 0
    assert load_encoder(tmp_path / "encoder").dimension == 16


def test_few_pairs_are_enlarged_and_the_manifest_says_so(
    training_corpus: tuple, tmp_path: Path
) -> None:
    main(_config(training_corpus, tmp_path / "encoder", enlarge_few=True, steps=2))
    training = open_artifact(tmp_path / "encoder").details["training"]
    assert set(training["pairs"]) == {"recurring_span", "independent_crop", "title"}
    assert "crop and title pairs are added" in training["note"]
    assert "alone" not in training["note"]  # it is the pipeline that leaves training out
    assert sum(training["pairs_in_batch"].values()) == training["batch_size"] == 8


def test_nothing_to_train_on_is_one_line(training_corpus: tuple, tmp_path: Path) -> None:
    class Empty(Title):
        def prepare(self, corpus: Any, spans: Any, tokens: Any) -> Any:
            prepared = super().prepare(corpus, spans, tokens)
            prepared._documents = prepared._documents[:0]
            return prepared

    with pytest.raises(DataError, match="nothing to train on"):
        main(_config(training_corpus, tmp_path / "encoder", pairings={"title": Empty()}))


def test_training_separates_positives_from_negatives(
    training_corpus: tuple, tmp_path: Path
) -> None:
    main(_config(training_corpus, tmp_path / "encoder", steps=16, log_every=4, save_every=16))
    losses = [
        line["loss"] for line in read_metrics(tmp_path / "encoder") if line["split"] == "train"
    ]
    assert losses[-1] < 0.8 * losses[0]


def test_the_optimizer_is_dense_adam(training_corpus: tuple) -> None:
    _, _, tokenizer, _ = training_corpus
    one = StaticSettings(dimension=4).build(tokenizer, seed=0)
    other = StaticSettings(dimension=4).build(tokenizer, seed=0)
    fast = encoder_training.make_optimizer(one, 1e-2)
    slow = torch.optim.Adam(other.parameters(), lr=1e-2, eps=1e-8, foreach=False, fused=False)
    for step in range(3):
        for parameter, twin in zip(one.parameters(), other.parameters(), strict=True):
            generator = torch.Generator().manual_seed(step)
            parameter.grad = torch.randn(parameter.shape, generator=generator)
            twin.grad = parameter.grad.clone()
        fast.step()
        slow.step()
    for parameter, twin in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(parameter, twin, rtol=1e-5, atol=1e-6)
