"""A start is measured once on a machine."""

from pathlib import Path

import pytest

from pretrain.choice.measured import measured_before
from spider.artifacts.artifact import Artifact
from spider.artifacts.records.choice import ChoiceRecord
from spider.artifacts.stage import Stage


def choice(folder: Path, *, passages: int = 48, **volatile: object) -> Artifact:
    record = ChoiceRecord(architecture="bert", start="x", adapts=True, reason="r")
    stage = Stage(verb="v", kind="choice", output=folder / "choice", config={}, inputs={})
    with stage.writing():
        return stage.finish(counts={"passages": passages}, details=record, volatile=volatile)


def test_the_same_start_on_the_same_machine_is_known(tmp_path: Path) -> None:
    made = choice(tmp_path, estimate={"seconds_a_passage": 0.25})
    assert measured_before(made, "x") == 0.25
    assert measured_before(made, "y") is None
    assert measured_before(None, "x") is None


@pytest.mark.parametrize("found", [{}, {"seconds_a_passage": 0.0}, {"seconds_a_passage": "1"}])
def test_what_is_no_time_is_not_used(found: dict[str, object], tmp_path: Path) -> None:
    assert measured_before(choice(tmp_path, estimate=found), "x") is None


def test_few_passages_or_another_machine_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimate = {"seconds_a_passage": 0.25}
    assert measured_before(choice(tmp_path / "a", passages=47, estimate=estimate), "x") is None
    made = choice(tmp_path / "b", estimate=estimate)
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    assert measured_before(made, "x") is None
