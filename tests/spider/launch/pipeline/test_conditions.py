"""Conditions of stages on the counts of artifacts."""

from pathlib import Path

import pytest

from spider.artifacts.records.choice import ChoiceRecord
from spider.artifacts.stage import Stage
from spider.errors import ConfigError
from spider.launch.pipeline.conditions import Choice, Count, first_unmet


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = Stage(verb="v", kind="spans", output=tmp_path / "spans", config={}, inputs={})
    with made.writing():
        made.finish(counts={"training_pairs": 49, "test_queries": 0})
    return tmp_path


def test_a_condition_has_two_bounds(workspace: Path) -> None:
    count = Count(artifact="spans", name="training_pairs", at_least=10.0, below=49.0)
    assert count.value(workspace) == 49.0
    assert [count.holds(value) for value in (9.0, 10.0, 48.0, 49.0)] == [False, True, True, False]
    said = "spans has 49 training pairs and at least 10 and fewer than 49 are needed"
    assert count.describe(49.0) == said


def test_the_first_condition_that_fails_is_named(workspace: Path) -> None:
    enough = Count(artifact="spans", name="training_pairs", at_least=49.0)
    some = Count(artifact="spans", name="test_queries", at_least=1.0)
    assert first_unmet([enough], workspace) is None
    assert first_unmet([], workspace) is None
    found = first_unmet([enough, some], workspace)
    assert found is not None
    assert found.condition is some
    assert found.reason == "spans has 0 test queries and at least 1 are needed"
    assert not some.replaces


def test_a_choice_names_the_values_for_which_a_stage_runs(tmp_path: Path) -> None:
    record = ChoiceRecord(architecture="bert", start="x", adapts=False, reason="r")
    made = Stage(verb="v", kind="choice", output=tmp_path / "choice", config={}, inputs={})
    with made.writing():
        made.finish(counts={}, details=record)
    dense = Choice(artifact="choice", detail="architecture", any_of=("static", "bert"))
    words = Choice(artifact="choice", detail="architecture", any_of=("words",))
    as_it_is = Choice(artifact="choice", detail="adapts", any_of=(False,))
    assert first_unmet([dense, as_it_is], tmp_path) is None
    found = first_unmet([words], tmp_path)
    assert found is not None
    assert found.condition.replaces
    assert found.reason == "choice has architecture bert and words is needed"
    with pytest.raises(ConfigError, match=r"choice has no detail 'x'; it has \['architecture"):
        Choice(artifact="choice", detail="x", any_of=("a",)).value(tmp_path)


def test_an_unknown_count_is_refused(workspace: Path) -> None:
    with pytest.raises(ConfigError, match=r"spans has no count 'pears'; it has \['training"):
        Count(artifact="spans", name="pears", at_least=1.0).value(workspace)
