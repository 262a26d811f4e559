"""What ``train-language-model`` refuses before it loads torch, and whose split it takes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

import jamba_reader.training.language_model as training_module
from jamba_reader.config import JambaConfig
from jamba_reader.verbs.train_language_model import (
    NEW_MODEL,
    NEW_VOCABULARY,
    TrainLanguageModelSettings,
    main,
)
from spider.artifacts.stage import Stage
from spider.corpus.corpus import Corpus
from spider.corpus.split import TEST, TRAIN, VALIDATION, DocumentSplit, SplitRule, split_documents
from spider.errors import ArtifactError, ConfigError
from spider.launch.composition import compose_verb, plain
from spider.launch.configuration import typed_settings
from spider.launch.typed.schema import settings_of


class StoppedError(Exception):
    """Training was reached."""


@pytest.fixture
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    return make_corpus([(f"Title {n}", ["some words here"]) for n in range(20)])


@pytest.fixture
def splits(monkeypatch: pytest.MonkeyPatch) -> list[DocumentSplit]:
    """Record the split that training would use, and stop there."""
    found: list[DocumentSplit] = []

    def run(self: object, corpus: Corpus, folder: Path, *, split: DocumentSplit) -> NoReturn:
        found.append(split)
        raise StoppedError

    monkeypatch.setattr(training_module.LanguageModelTraining, "run", run)
    return found


def settings(corpus: Corpus, **values: Any) -> TrainLanguageModelSettings:
    given = {"output": corpus.path.parent / "reader", "reader_size": JambaConfig(), **values}
    return TrainLanguageModelSettings(corpus=corpus.path, **given)


def spans_of(corpus: Corpus, parts: list[int]) -> Path:
    path = corpus.path.parent / "spans"
    stage = Stage(
        verb="mine", kind="spans", output=path, config={}, inputs={"corpus": corpus.artifact}
    )
    with stage.writing() as folder:
        DocumentSplit(np.array(parts, dtype=np.uint8)).save(folder)
        stage.finish(counts={})
    return path


def test_the_split_of_spans_is_used(
    corpus: Corpus, splits: list[DocumentSplit], caplog: pytest.LogCaptureFixture
) -> None:
    parts = [TEST, VALIDATION, *[TRAIN] * 18]
    with pytest.raises(StoppedError):
        main(settings(corpus, spans=spans_of(corpus, parts), given=("spans",)))
    assert splits[0].parts.tolist() == parts
    assert "spider mine" not in caplog.text


def test_without_spans_the_rule_decides(
    corpus: Corpus, splits: list[DocumentSplit], caplog: pytest.LogCaptureFixture
) -> None:
    rule = SplitRule(validation_share=0.2, test_share=0.3, seed=5)
    for spans in (None, corpus.path.parent / "none"):
        with pytest.raises(StoppedError):
            main(settings(corpus, spans=spans, split=rule, given=("split",)))
    expected = split_documents(corpus, rule).parts
    assert [split.parts.tolist() for split in splits] == [expected.tolist()] * 2
    assert (expected == TEST).sum() == 6
    assert caplog.text.count("`spider mine` first gives both one split") == 2


def test_spans_that_a_person_names_have_to_be_there(corpus: Corpus) -> None:
    with pytest.raises(ArtifactError, match="none"):
        main(settings(corpus, spans=corpus.path.parent / "none", given=("spans",)))


def test_a_split_beside_spans_has_no_effect(corpus: Corpus) -> None:
    spans = spans_of(corpus, [TRAIN] * 20)
    with pytest.raises(ConfigError, match="leave split out, or give spans=null"):
        main(settings(corpus, spans=spans, given=("split",)))


@pytest.mark.parametrize(
    ("start", "name"),
    [("start", name) for name in (*NEW_MODEL, *NEW_VOCABULARY)]
    + [("start_tokenizer", name) for name in NEW_VOCABULARY],
)
def test_settings_of_what_start_brings_are_refused(start: str, name: str, corpus: Corpus) -> None:
    place = str(corpus.path)
    with pytest.raises(ConfigError) as caught:
        main(settings(corpus, **{start: place}, given=(start, name)))
    assert str(caught.value).startswith(f"{name} applies to a new ")
    assert f"{start}={place} brings its own" in str(caught.value)


@pytest.mark.parametrize("name", NEW_MODEL)
def test_a_start_tokenizer_leaves_the_model_to_be_chosen(
    name: str, corpus: Corpus, splits: list[DocumentSplit]
) -> None:
    with pytest.raises(StoppedError):
        main(settings(corpus, start_tokenizer=str(corpus.path), given=("start_tokenizer", name)))


def test_names_of_refused_settings_are_settings() -> None:
    assert {*NEW_MODEL, *NEW_VOCABULARY} <= set(settings_of(TrainLanguageModelSettings))


def test_several_processes_are_refused(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="start it without torchrun"):
        main(settings(corpus))


def test_a_corpus_that_is_not_there_is_named(tmp_path: Path) -> None:
    values = {"corpus": tmp_path / "none", "output": tmp_path / "o", "reader_size": JambaConfig()}
    with pytest.raises(ArtifactError, match="none"):
        main(TrainLanguageModelSettings(**values))


def test_the_composed_settings_are_the_verbs() -> None:
    words = ["reader_size=small", "training.steps=7", "spans=null"]
    values = plain(compose_verb("train-language-model", words))
    found = typed_settings(TrainLanguageModelSettings, values, words)
    assert (found.reader_size.hidden_size, found.training.steps) == (256, 7)
    assert found.spans is None
    assert found.given == ("reader_size", "training", "spans")
    assert found.resolved["training"]["learning_rate"] == 2e-3
    assert not {"corpus", "spans", "output", "workspace", "start"} & found.resolved.keys()
