"""Conditions of stages on the counts of artifacts."""

from pathlib import Path

import pytest

from spider.artifacts.stage import Stage
from spider.errors import ConfigError
from spider.launch.pipeline.conditions import Count, first_unmet


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
    assert first_unmet([enough, some], workspace) is some


def test_an_unknown_count_is_refused(workspace: Path) -> None:
    with pytest.raises(ConfigError, match=r"spans has no count 'pears'; it has \['training"):
        Count(artifact="spans", name="pears", at_least=1.0).value(workspace)
