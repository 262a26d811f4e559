"""Settings that verbs share."""

import dataclasses
from pathlib import Path

import pytest

from spider.errors import ConfigError
from spider.launch.configuration import typed_settings
from spider.launch.settings import StageSettings, WorkspaceSettings
from spider.launch.typed.content import content
from spider.launch.typed.schema import REQUIRED, settings_of


def test_a_stage_has_an_output_and_no_default_for_it() -> None:
    assert settings_of(StageSettings)["output"].default is REQUIRED
    with pytest.raises(ConfigError, match="setting output must be given"):
        typed_settings(StageSettings, {"workspace": "w"})


def test_a_stage_is_a_verb_in_a_workspace() -> None:
    assert issubclass(StageSettings, WorkspaceSettings)
    assert settings_of(WorkspaceSettings)["workspace"].default == "spider-work/default"
    assert StageSettings(output=Path("o")).workspace == Path("spider-work/default")


def test_where_an_artifact_lies_and_whether_it_is_replaced_are_no_content() -> None:
    values = {"workspace": "w", "output": "w/o", "overwrite": True}
    assert content(StageSettings, values) == {}
    settings = typed_settings(StageSettings, values, ["output=w/o"])
    assert settings.resolved == {}
    assert settings.given == ("output",)


def test_a_person_cannot_set_what_the_launcher_fills_in() -> None:
    assert set(settings_of(StageSettings)) == {"workspace", "output", "overwrite"}


def test_settings_are_frozen_and_two_stages_share_no_dictionary() -> None:
    first, second = StageSettings(output=Path("a")), StageSettings(output=Path("a"))
    assert first == second
    assert first.resolved is not second.resolved
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.output = Path("b")  # type: ignore[misc]
