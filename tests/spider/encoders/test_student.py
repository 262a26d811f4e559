import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.folder.manifest import seal
from spider.artifacts.stage import Stage
from spider.corpus.corpus import Corpus
from spider.encoders.bert import BertSettings
from spider.encoders.corpus_fitted import CorpusFitted
from spider.encoders.distillation import distillation, teacher_vectors
from spider.encoders.loading import Encoder, load_encoder
from spider.encoders.static import StaticSettings
from spider.encoders.student import StudentSettings
from spider.encoders.trainable import EncoderSettings
from spider.errors import (
    ArtifactError,
    CheckpointError,
    ConfigError,
    DataError,
    SettingError,
)
from spider.text.tokenizer import Tokenizer, load_tokenizer
from spider.training.settings import TrainingSettings

FIT = {"steps": 6, "batch_size": 16, "learning_rate": 0.01}


def train(corpus: Corpus, output: Path, teacher: Path | str, **changes: Any) -> Artifact:
    """Do what the verb does, with small settings."""
    settings = StudentSettings(teacher=str(teacher), **(FIT | changes))
    stage = Stage(
        verb="train",
        kind="encoder",
        output=output,
        config={key: repr(value) for key, value in changes.items()},
        inputs={"corpus": corpus.artifact, **settings.inputs()},
    )
    if not stage.up_to_date():
        with stage.writing() as folder:
            fitted = settings.fit(corpus, folder, training=TrainingSettings(device="cpu"))
            stage.finish(
                counts=fitted.counts,
                variant=settings.variant,
                details=fitted.record,
                unhashed=fitted.unhashed,
                leftovers=fitted.leftovers,
            )
    return open_artifact(output, kind="encoder")


def write_encoder(output: Path, settings: EncoderSettings, tokenizer: Tokenizer) -> Artifact:
    stage = Stage(verb="train", kind="encoder", output=output, config={}, inputs={})
    with stage.writing() as folder:
        record = settings.build(tokenizer, seed=1).export(folder)
        return stage.finish(counts={}, variant=settings.variant, details=record)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher_vectors, "SHARD_PASSAGES", 16)
    monkeypatch.setattr(distillation, "FIRST", 20)


def test_it_follows_the_protocols(teacher: Path, corpus: Corpus, tmp_path: Path) -> None:
    settings = StudentSettings(teacher=str(teacher))
    assert isinstance(settings, CorpusFitted)
    assert not isinstance(settings, EncoderSettings)
    assert not isinstance(StaticSettings(), CorpusFitted)
    artifact = train(corpus, tmp_path / "student", teacher)
    encoder = load_encoder(artifact.path)
    assert isinstance(encoder, Encoder)
    assert (encoder.variant, encoder.dimension) == ("student", 16)
    assert {path.name for path in artifact.path.iterdir()} == {
        "README.md", "config_sentence_transformers.json", "manifest.json", "modules.json",
        "passages", "questions", "router_config.json",
    }  # fmt: skip


def test_questions_are_the_teachers_and_passages_the_tables(
    teacher: Path, corpus: Corpus, tmp_path: Path
) -> None:
    artifact = train(corpus, tmp_path / "student", teacher)
    encoder = load_encoder(artifact.path)
    texts = ["amber basalt cedar", "moss"]
    tokenizer = load_tokenizer(teacher)
    module: Any = BertSettings(start=str(teacher), max_query_length=16)
    module = module.build(tokenizer, seed=0).eval()
    for text, vector in zip(texts, encoder.encode_questions(texts), strict=True):
        ids = torch.from_numpy(module.query_ids(tokenizer.encode([text]).of(0)))[None]
        with torch.no_grad():
            expected = module.encode_padded(ids, torch.ones_like(ids), passages=False)[0]
        np.testing.assert_allclose(vector, expected.numpy(), atol=1e-5)
    one = encoder.encode_passages(["Title"], ["amber moss cedar"])
    other = encoder.encode_passages(["Title"], ["cedar amber moss"])
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert np.linalg.norm(one) == pytest.approx(1.0)
    assert encoder.encode_passages([], []).shape == (0, 16)
    assert encoder.encode_passages([""], [""]).tolist() == [[0.0] * 16]


def test_the_manifest_holds_the_estimate(teacher: Path, corpus: Corpus, tmp_path: Path) -> None:
    artifact = train(corpus, tmp_path / "student", teacher, steps=3)
    training = artifact.details["training"]
    assert training["steps"] == artifact.counts["steps"] == 3
    assert -1 <= training["validation"]["cosine"] <= 1
    assert 0 <= training["validation"]["overlap_at_20"] <= 1
    assert "held-out" in training["note"]
    assert training["note"] in (artifact.path / "README.md").read_text()


def test_the_sample_grows_or_is_given(teacher: Path, corpus: Corpus, tmp_path: Path) -> None:
    grown = train(corpus, tmp_path / "grown", teacher)
    assert grown.counts["passages_held_out"] == 9
    assert grown.counts["passages_for_the_fit"] in (40, 81)
    assert "with 40 passages" in grown.details["training"]["note"]
    given = train(corpus, tmp_path / "given", teacher, sample=30)
    assert given.counts["passages_for_the_fit"] == 30


def test_a_killed_fit_resumes_to_the_same_hash_without_encoding_again(
    teacher: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(corpus, tmp_path / "whole", teacher)
    encode = teacher_vectors.TeacherVectors._encode
    calls: list[int] = []

    def die_at(limit: int) -> Callable[..., dict[str, int]]:
        def counted(self: Any, positions: Any, folder: Path) -> dict[str, int]:
            calls.append(len(positions))
            if len(calls) == limit:
                raise KeyboardInterrupt
            return encode(self, positions, folder)

        return counted

    for limit in (1, 3, 99):
        calls.clear()
        monkeypatch.setattr(teacher_vectors.TeacherVectors, "_encode", die_at(limit))
        if limit == 99:
            parts = train(corpus, tmp_path / "parts", teacher)
        else:
            with pytest.raises(KeyboardInterrupt):
                train(corpus, tmp_path / "parts", teacher)
            assert not (tmp_path / "parts").exists()
    assert sum(calls) < whole.counts["passages_for_the_fit"]
    assert parts.content_hash == whole.content_hash
    calls.clear()
    train(corpus, tmp_path / "parts", teacher)
    assert calls == []


def test_an_encoder_artifact_is_a_teacher_and_becomes_an_input(
    teacher: Path, corpus: Corpus, tmp_path: Path
) -> None:
    trained = write_encoder(
        tmp_path / "trained", BertSettings(start=str(teacher)), load_tokenizer(teacher)
    )
    student = train(corpus, tmp_path / "student", trained.path)
    assert student.parent("teacher").content_hash == trained.content_hash
    assert load_encoder(student.path).dimension == 16


def test_tables_and_students_are_no_teachers(teacher: Path, corpus: Corpus, tmp_path: Path) -> None:
    student = train(corpus, tmp_path / "student", teacher, steps=0)
    with pytest.raises(CheckpointError, match=r"got a student.*student/questions"):
        train(corpus, tmp_path / "other", student.path)
    # its own teacher is one
    train(corpus, tmp_path / "again", student.path / "questions", steps=0)
    table = write_encoder(tmp_path / "table", StaticSettings(dimension=16), load_tokenizer(teacher))
    with pytest.raises(CheckpointError, match="got a table"):
        train(corpus, tmp_path / "other", table.path)


def test_what_cannot_be_fitted_is_refused(
    teacher: Path, corpus: Corpus, tmp_path: Path, make_corpus: Callable[..., Corpus]
) -> None:
    with pytest.raises(ConfigError, match="teacher is empty"):
        train(corpus, tmp_path / "student", "")
    with pytest.raises(SettingError, match=r"sample.*at most 81.*9 of them"):
        train(corpus, tmp_path / "student", teacher, sample=82)
    with pytest.raises(DataError, match="no passage"):
        train(make_corpus([], name="empty"), tmp_path / "student", teacher)
    for name, value in (("sample", 0), ("steps", -1), ("batch_size", 0), ("weight_rate", -0.1)):
        with pytest.raises(SettingError, match=name):
            StudentSettings(**{name: value})


@pytest.mark.parametrize("passages", [1, 2, 3])
def test_a_corpus_of_a_few_passages(
    passages: int,
    teacher: Path,
    tmp_path: Path,
    make_corpus: Callable[..., Corpus],
    documents: Sequence[tuple[str, list[str]]],
) -> None:
    small = make_corpus([("", [documents[0][1][0]])] * passages, name="small")
    artifact = train(small, tmp_path / "student", teacher)
    assert artifact.counts["passages_held_out"] == min(1, passages - 1)
    assert np.isfinite(load_encoder(artifact.path).encode_passages(["A"], ["amber"])).all()


def test_a_tower_of_another_dimension_is_refused(
    teacher: Path, corpus: Corpus, tmp_path: Path
) -> None:
    artifact = train(corpus, tmp_path / "student", teacher, steps=0)
    manifest = json.loads((artifact.path / "manifest.json").read_text())
    for change, message in (
        (lambda d: d["question_tower"]["encoder"].update(dimension=8), "manifest says 8"),
        (lambda d: d.pop("question_tower"), "no encoder of questions"),
        (lambda d: d["question_tower"].update(variant="nothing"), "no encoder variant"),
    ):
        broken = json.loads(json.dumps(manifest))
        change(broken["details"])
        (artifact.path / "manifest.json").write_text(json.dumps(seal(broken)))
        with pytest.raises(ArtifactError, match=message):
            load_encoder(artifact.path)


def test_sentence_transformers_loads_both_towers(
    teacher: Path, corpus: Corpus, tmp_path: Path
) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    artifact = train(corpus, tmp_path / "student", teacher)
    encoder = load_encoder(artifact.path)
    titles, texts = ["Title 1", ""], ["amber moss cedar.", "kelp iris"]
    joined = ["Title 1 [SEP] amber moss cedar.", "kelp iris"]
    whole = sentence_transformers.SentenceTransformer(str(artifact.path), device="cpu")
    towers = {
        name: sentence_transformers.SentenceTransformer(str(artifact.path / name), device="cpu")
        for name in ("questions", "passages")
    }
    questions, passages = encoder.encode_questions(texts), encoder.encode_passages(titles, texts)
    for found in (whole.encode_query(texts), towers["questions"].encode(texts)):
        np.testing.assert_allclose(found, questions, atol=1e-5)
    for found in (whole.encode_document(joined), towers["passages"].encode(joined)):
        np.testing.assert_allclose(found, passages, atol=1e-5)
