import logging
from pathlib import Path
from typing import Any

import pytest

import spider.launch.stages as module
from spider.artifacts.artifact import Artifact
from spider.artifacts.records.choice import ChoiceRecord
from spider.artifacts.stage import Stage
from spider.artifacts.workspace import last_workspace
from spider.errors import ConfigError, SpiderError
from spider.launch.composition import compose_verb, plain
from spider.launch.stages import StageSpec, build_stages, child_command, run_stages


def artifact(path: Path, kind: str, inputs: dict[str, Artifact], **counts: int) -> Artifact:
    made = Stage(verb="v", kind=kind, output=path, config=counts, inputs=inputs, overwrite=True)
    with made.writing():
        return made.finish(counts=counts)


def failing(**settings: Any) -> dict[str, Any]:
    # a child that ends at once with exit code 2, which shows that it was started
    return {"verb": "doctor", "settings": {"nosuch": 1}, **settings}


def run(stages: dict[str, Any], workspace: Path, **options: Any) -> None:
    run_stages(build_stages(stages, where="stages"), workspace=workspace, **options)


def test_null_stage_is_left_out_and_a_name_is_a_title() -> None:
    (stage,) = build_stages({"train_it": {"verb": "train"}, "gone": None}, where="stages")
    assert (stage.verb, stage.title) == ("train", "train it")


def test_unknown_verb_and_unknown_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such verb"):
        run({"a": {"verb": "fly"}}, tmp_path)
    with pytest.raises(
        ConfigError, match=r"unknown setting stages\.a\.setings; did you mean stages\.a\.set"
    ):
        run({"a": {"verb": "mine", "setings": {}}}, tmp_path)


def test_failed_stage_ends_the_pipeline_with_its_exit_code(tmp_path: Path) -> None:
    with pytest.raises(SpiderError, match="doctor failed with exit code 2") as caught:
        run({"a": failing()}, tmp_path)
    assert caught.value.exit_code == 2


def test_values_reach_the_verb_unchanged(tmp_path: Path) -> None:
    workspace = tmp_path / "it's, (odd) = ~ ${x} é"
    settings = {
        "question": "What's a=b, {c}?",
        "systems": ["bm25", "dense"],
        "k": 3,
        "questions": None,
        "label": "untrained",
    }
    stage = StageSpec(verb="search", title="", settings=settings)
    words = child_command(stage, workspace)
    overrides = words[words.index("-m") + 2 :]
    values = plain(compose_verb("search", overrides))
    assert values["workspace"] == str(workspace)
    assert {key: values[key] for key in settings} == settings
    assert values["overwrite"] is True


def test_group_can_be_left_out() -> None:
    stage = StageSpec(verb="build", title="", settings={"sparse": None, "fusion": "weighted_sum"})
    words = child_command(stage, Path("w"))
    assert plain(compose_verb("build", words[words.index("-m") + 2 :]))["sparse"] is None
    assert plain(compose_verb("search", ["fusion=null"])).get("fusion") is None


def test_condition_on_a_count_skips_a_stage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    artifact(tmp_path / "spans", "spans", {}, training_pairs=49)
    at_least = {"artifact": "spans", "name": "training_pairs", "at_least": 50}
    below = {"artifact": "spans", "name": "training_pairs", "below": 50}
    with caplog.at_level(logging.INFO):
        run({"a": failing(only_if=at_least)}, tmp_path)
    assert "skipped, since spans has 49 training pairs and at least 50 are needed: a" in caplog.text
    caplog.clear()
    both = [{**below, "below": 40}, at_least]
    with caplog.at_level(logging.INFO):
        run({"a": failing(only_if=both), "c": failing(only_if=at_least)}, tmp_path)
    # what a stage replaces is no loss, so it is not named
    assert "training pairs and at least 50 are needed: c" in caplog.text
    assert "needed: a" not in caplog.text
    with caplog.at_level(logging.INFO), pytest.raises(SpiderError):
        run({"b": failing(only_if=below)}, tmp_path)
    assert "[1/1] b: spans has 49 training pairs and fewer than 50 are needed" in caplog.text
    with pytest.raises(ConfigError, match="has no count 'pears'"):
        run({"a": failing(only_if={**below, "name": "pears"})}, tmp_path)


def test_encoder_is_kept_when_only_documents_changed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    corpus = artifact(tmp_path / "corpus", "corpus", {}, documents=1)
    artifact(tmp_path / "encoder", "encoder", {"corpus": corpus}, steps=1)
    stages = {
        "train": failing(keep_despite="corpus", output="encoder"),
        "report": failing(skip_when_kept=True),
    }
    # nothing changed: the verb itself is asked
    with pytest.raises(SpiderError):
        run(stages, tmp_path)
    artifact(tmp_path / "corpus", "corpus", {}, documents=2)
    with caplog.at_level(logging.INFO):
        run(stages, tmp_path)
    assert "encoder kept, though corpus changed since" in caplog.text
    assert "skipped, since encoder was kept, so nothing says how well it fits" in caplog.text
    with pytest.raises(SpiderError):
        run(stages, tmp_path, retrain=True)


def test_a_report_of_earlier_documents_is_removed_when_its_stage_is_skipped(
    tmp_path: Path,
) -> None:
    artifact(tmp_path / "spans", "spans", {}, test_queries=0)
    artifact(tmp_path / "heldout-report", "report", {}, questions=1)
    some = {"artifact": "spans", "name": "test_queries", "at_least": 1}
    output = {"output": str(tmp_path / "heldout-report")}
    run({"report": failing(only_if=some, settings=output)}, tmp_path)
    assert not (tmp_path / "heldout-report").exists()
    assert (tmp_path / "spans").exists()


def test_the_workspace_is_noted_as_soon_as_it_has_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "_run_child", fail_unless_build)
    with pytest.raises(SpiderError, match="no questions"):
        run({"b": {"verb": "build"}, "s": {"verb": "search"}}, tmp_path / "w")
    (tmp_path / "w" / "index").mkdir(parents=True)
    assert last_workspace() == str(tmp_path / "w")


def fail_unless_build(stage: StageSpec, workspace: Path, *, shown: bool) -> None:
    if stage.verb != "build":
        raise SpiderError("no questions")


def test_a_stage_is_quiet_unless_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(module, "_run_child", lambda *_, shown: seen.append(shown))
    stages = {"a": {"verb": "mine"}, "b": {"verb": "mine", "shown": True}}
    run(stages, tmp_path, verbose=False)
    run(stages, tmp_path)
    assert seen == [False, True, True, True]


def test_a_report_stays_that_another_stage_has_written(tmp_path: Path) -> None:
    record = ChoiceRecord(architecture="bert", start="x", adapts=True, reason="r")
    made = Stage(verb="v", kind="choice", output=tmp_path / "choice", config={}, inputs={})
    with made.writing():
        made.finish(counts={}, details=record)
    artifact(tmp_path / "report", "report", {})
    output = {"output": str(tmp_path / "report")}

    def of(*names: str) -> dict[str, Any]:
        return {"artifact": "choice", "detail": "architecture", "any_of": list(names)}

    skipped = failing(only_if=of("student"), settings=output)
    with pytest.raises(SpiderError):
        run({"a": skipped, "b": failing(only_if=of("bert"), settings=output)}, tmp_path)
    assert (tmp_path / "report" / "manifest.json").exists()
    run({"a": skipped, "b": failing(only_if=of("static"), settings=output)}, tmp_path)
    assert not (tmp_path / "report" / "manifest.json").exists()
