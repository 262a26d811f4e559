"""The verb with an architecture that is fitted to passages alone."""

from pathlib import Path
from typing import Any

import pytest

from pretrain.verbs.train import TrainSettings, main
from spider.artifacts.artifact import open_artifact
from spider.encoders.bert import BertSettings
from spider.encoders.distillation import distillation
from spider.encoders.loading import load_encoder
from spider.encoders.student import StudentSettings
from spider.errors import ArtifactError, SettingError
from spider.training.settings import TrainingSettings


@pytest.fixture(scope="module")
def teacher(training_corpus: tuple, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    settings = BertSettings(hidden=16, layers=1, heads=2, max_passage_length=48)
    settings.build(training_corpus[2], seed=1).eval().export(folder)
    return folder


def config(corpus: Path | None, output: Path, teacher: Path, **changes: Any) -> TrainSettings:
    settings = {"steps": 2, "batch_size": 8} | changes
    return TrainSettings(
        architecture=StudentSettings(teacher=str(teacher), **settings),
        pairings={},
        corpus=corpus,
        workspace=output.parent,
        spans=output.parent / "spans",
        output=output,
        training=TrainingSettings(device="cpu"),
        resolved={"architecture": {name: repr(value) for name, value in changes.items()}},
    )


def test_it_needs_a_corpus_and_no_spans(
    training_corpus: tuple, teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distillation, "FIRST", 20)
    corpus = training_corpus[0]
    main(config(corpus.path, tmp_path / "encoder", teacher))
    artifact = open_artifact(tmp_path / "encoder", kind="encoder")
    assert artifact.variant == "student"
    assert set(artifact.manifest["inputs"]) == {"corpus"}
    assert load_encoder(artifact.path).dimension == 16
    before = (artifact.path / "manifest.json").read_bytes()
    main(config(corpus.path, tmp_path / "encoder", teacher))
    assert (artifact.path / "manifest.json").read_bytes() == before
    with pytest.raises(ArtifactError, match="overwrite=true"):
        main(config(corpus.path, tmp_path / "encoder", teacher, steps=3))
    (teacher / "config.json").write_text((teacher / "config.json").read_text() + " ")
    with pytest.raises(ArtifactError, match="overwrite=true"):
        main(config(corpus.path, tmp_path / "encoder", teacher))


def test_a_setting_is_named_as_it_is_typed(
    training_corpus: tuple, teacher: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=r"architecture\.sample"):
        main(config(training_corpus[0].path, tmp_path / "encoder", teacher, sample=10**6))


def test_without_a_corpus_it_says_which_folder_is_missing(teacher: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="corpus"):
        main(config(None, tmp_path / "encoder", teacher))
