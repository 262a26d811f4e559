import logging
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import Artifact
from spider.artifacts.stage import Stage
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
    assert "skipped: it needs at least 50 training pairs, spans has 49" in caplog.text
    with caplog.at_level(logging.INFO), pytest.raises(SpiderError):
        run({"b": failing(only_if=below)}, tmp_path)
    assert "[1/1] b: it needs fewer than 50 training pairs, spans has 49" in caplog.text
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
    assert "skipped, since encoder was kept" in caplog.text
    with pytest.raises(SpiderError):
        run(stages, tmp_path, retrain=True)
