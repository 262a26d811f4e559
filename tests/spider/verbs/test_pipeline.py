"""``spider pipeline``: which stages are run, where, and which workspace is remembered."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import spider.verbs.pipeline as module
from spider.artifacts.workspace import last_workspace
from spider.errors import ConfigError, SpiderError
from spider.launch.composition import compose_verb, plain
from spider.launch.configuration import typed_settings
from spider.launch.stages import StageSpec, build_stages
from spider.launch.verbs import options, settings_class
from spider.verbs.pipeline import PipelineSettings, main


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the workspace used last is noted where the verb is run
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[StageSpec], dict[str, Any]]]:
    calls: list[tuple[list[StageSpec], dict[str, Any]]] = []

    def run_stages(stages: Sequence[StageSpec], **given: Any) -> None:
        calls.append((list(stages), given))

    monkeypatch.setattr(module, "run_stages", run_stages)
    return calls


def settings(*words: str) -> PipelineSettings:
    found = typed_settings(PipelineSettings, plain(compose_verb("pipeline", words)), words)
    assert isinstance(found, PipelineSettings)
    return found


def test_the_stages_of_the_chosen_pipeline_are_run_in_order(
    ran: list[tuple[list[StageSpec], dict[str, Any]]],
) -> None:
    main(settings("pipeline=own_files", "data=notes", "workspace=w", "retrain=true"))
    ((stages, given),) = ran
    assert given == {"workspace": Path("w"), "retrain": True}
    verbs = [stage.verb for stage in stages]
    assert verbs[:2] == ["prepare", "mine"]
    assert verbs.index("train") < verbs.index("embed") < verbs.index("build")
    assert stages[0].settings == {"source": "folder", "source.path": "notes"}


def test_the_workspace_is_remembered_once_all_went_well(
    ran: list[tuple[list[StageSpec], dict[str, Any]]],
) -> None:
    assert last_workspace() == "spider-work/default"
    main(settings("pipeline=documentation", "workspace='its mine'"))
    assert last_workspace() == "its mine"


def test_a_pipeline_that_failed_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **given: Any) -> None:
        raise SpiderError("no")

    monkeypatch.setattr(module, "run_stages", fail)
    with pytest.raises(SpiderError):
        main(settings("pipeline=documentation", "workspace=w"))
    assert last_workspace() == "spider-work/default"


def test_without_a_name_the_pipelines_are_listed_and_none_is_run(
    ran: list[tuple[list[StageSpec], dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    main(settings("workspace=w"))
    said = capsys.readouterr().out
    for name, summary in options("pipeline").items():
        assert f"{name} " in said
        assert summary in said
    assert "spider pipeline pipeline=NAME" in said
    main(settings("json=true"))
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {entry["pipeline"]: entry["summary"] for entry in listed} == options("pipeline")
    assert not ran
    assert last_workspace() == "spider-work/default"


@pytest.mark.parametrize("name", sorted(options("pipeline")))
def test_every_stage_of_a_pipeline_fits_the_settings_of_its_verb(name: str) -> None:
    """A misspelt setting would otherwise be found when its stage's turn comes."""
    workspace = "it's, (odd) = é"
    from spider.launch.command_line import quote
    from spider.launch.stages import stage_words

    words = [f"pipeline={name}", "data=data", f"workspace={quote(workspace)}"]
    stages = build_stages(settings(*words).pipeline["stages"], where="pipeline.stages")
    assert stages
    for stage in stages:
        overrides = stage_words(stage, Path(workspace))
        values = plain(compose_verb(stage.verb, overrides))
        typed_settings(settings_class(stage.verb), values, overrides)
        assert values["workspace"] == workspace


@pytest.mark.parametrize("name", sorted(options("pipeline")))
def test_every_condition_of_a_pipeline_is_about_an_artifact_that_it_makes(name: str) -> None:
    stages = build_stages(
        settings(f"pipeline={name}", "data=data", "workspace=w").pipeline["stages"], where="x"
    )
    made = set()
    for stage in stages:
        for condition in stage.only_if:
            assert condition.artifact in made, stage.title
        if stage.keep_despite is not None:
            assert stage.keep_despite in made, stage.title
            assert stage.output is not None, stage.title
        cls = settings_class(stage.verb)
        if "resolved" in cls.__dataclass_fields__:
            default = plain(compose_verb(stage.verb, ["workspace=w"])).get("output")
            made.add(Path(stage.settings.get("output", default)).name)


def test_minutes_that_are_null_leave_the_steps_of_the_pipeline() -> None:
    stages = settings("pipeline=own_files", "data=d", "minutes=null").pipeline["stages"]
    assert stages["train_an_encoder_from_scratch"]["settings"]["training.minutes"] is None
    stages = settings("pipeline=own_files", "data=d", "minutes=3").pipeline["stages"]
    assert stages["train_an_encoder_from_scratch"]["settings"]["training.minutes"] == 3


def test_a_pipeline_that_is_not_there_is_one_line() -> None:
    with pytest.raises(ConfigError, match="pipeline=wikki: no such variant; did you mean wiki"):
        settings("pipeline=wikki")


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("inf")])
def test_a_training_time_is_above_zero(minutes: float) -> None:
    with pytest.raises(ConfigError, match="setting minutes"):
        PipelineSettings(pipeline={}, minutes=minutes)
