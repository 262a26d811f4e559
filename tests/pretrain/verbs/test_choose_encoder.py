"""``spider choose-encoder``: the choice is written once, and made again when it may change."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

import pretrain.choice.cost as cost
import pretrain.verbs.choose_encoder as module
from pretrain.verbs.choose_encoder import ChooseEncoderSettings, main
from spider.artifacts.artifact import open_artifact
from spider.artifacts.records.choice import ChoiceRecord
from spider.artifacts.stage import Stage
from spider.corpus.document import Document, PassageBounds
from spider.corpus.writer import CorpusWriter
from spider.errors import ConfigError


def workspace(folder: Path, *, pairs: int, passages: int = 60) -> Path:
    stage = Stage(verb="prepare", kind="corpus", output=folder / "corpus", config={}, inputs={})
    with stage.writing() as partial:
        writer = CorpusWriter(partial)
        for number in range(passages):
            text = f"note {number}"
            bounds = PassageBounds(f"{number}#0", 0, len(text))
            writer.add(Document(id=str(number), title="", text=text, passages=(bounds,)))
        corpus = stage.finish(counts=writer.close())
    spans = Stage(
        verb="mine", kind="spans", output=folder / "spans", config={}, inputs={"corpus": corpus},
        overwrite=True,
    )  # fmt: skip
    with spans.writing():
        spans.finish(counts={"training_pairs": pairs})
    return folder


def choose(folder: Path, **settings: Any) -> ChoiceRecord:
    resolved = {name: str(value) for name, value in settings.items()}
    main(
        ChooseEncoderSettings(
            spans=folder / "spans", output=folder / "choice", overwrite=True, resolved=resolved,
            **settings,
        )
    )  # fmt: skip
    return ChoiceRecord.from_manifest(open_artifact(folder / "choice", kind="choice"))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the starts that were measured; each takes 10 s a passage."""
    found: list[str] = []

    def measure(start: str, corpus: object) -> float:
        found.append(start)
        return 1.0

    monkeypatch.setattr(cost, "measure", measure)
    return found


def test_without_a_pretrained_encoder_pairs_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "installed_name", lambda: None)
    with caplog.at_level(logging.INFO):
        assert choose(workspace(tmp_path / "a", pairs=49)).architecture == "words"
        assert choose(workspace(tmp_path / "b", pairs=50)).architecture == "static"
    assert "encoder: none, since 49 repeated phrases are too few to train one" in caplog.text
    assert "encoder: trained from scratch on 50 repeated phrases, since no" in caplog.text


def test_the_choice_and_its_estimate_are_in_the_artifact(
    tmp_path: Path, measured: list[str]
) -> None:
    found = choose(workspace(tmp_path, pairs=0), start="some/name")
    assert (found.architecture, found.start, found.adapts) == ("bert", "some/name", False)
    written = json.loads((tmp_path / "choice" / "choice.json").read_text())
    assert written == found.to_details()
    choice = open_artifact(tmp_path / "choice")
    assert choice.manifest["volatile"]["estimate"]["seconds_a_passage"] == 1.0
    assert choice.counts == {"passages": 60}


def test_a_choice_is_made_again_only_when_it_may_change(
    tmp_path: Path, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "installed_name", lambda: "minilm")
    folder = workspace(tmp_path, pairs=0)
    for _ in range(2):
        assert choose(folder).start == "minilm"
    assert measured == ["minilm"]
    # other documents: the time on this machine is known
    workspace(tmp_path, pairs=60)
    assert choose(folder).architecture == "bert"
    assert measured == ["minilm"]
    monkeypatch.setattr(module, "installed_name", lambda: None)
    assert choose(folder).architecture == "static"


@pytest.mark.parametrize("settings", [{"start": " "}, {"minutes": 0.0}, {"minutes": -1.0}])
def test_a_setting_out_of_range_is_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"setting {next(iter(settings))}"):
        ChooseEncoderSettings(spans=tmp_path, output=tmp_path / "o", **settings)
