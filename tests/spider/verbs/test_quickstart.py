"""``spider quickstart``: the pipeline that fits, and what it says at the end."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import spider.verbs.quickstart as module
from spider.artifacts.artifact import Artifact
from spider.artifacts.records.choice import ChoiceRecord
from spider.artifacts.records.index import EncoderReference, IndexRecord
from spider.artifacts.stage import Stage
from spider.artifacts.workspace import last_workspace, workspace_of
from spider.errors import ConfigError, DataError, SpiderError
from spider.launch.command_line import parse
from spider.launch.composition import compose_verb, plain
from spider.launch.configuration import typed_settings
from spider.launch.stages import StageSpec, build_stages
from spider.verbs.quickstart import QuickstartSettings, main


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the workspace used last is noted where the verb is run
    monkeypatch.chdir(tmp_path)


def settings(*words: str) -> QuickstartSettings:
    overrides = parse(words, QuickstartSettings).overrides
    values = plain(compose_verb("quickstart", overrides))
    found = typed_settings(QuickstartSettings, values, overrides)
    assert isinstance(found, QuickstartSettings)
    return found


def write_artifacts(workspace: Path, *, dense: bool) -> None:
    made: dict[str, Artifact] = {}
    for name, parents in (
        ("corpus", []), ("spans", ["corpus"]), ("encoder", ["spans"]), ("embeddings", ["encoder"])
    ):  # fmt: skip
        inputs = {parent: made[parent] for parent in parents}
        stage = Stage(verb="v", kind=name, output=workspace / name, config={}, inputs=inputs)
        with stage.writing():
            counts = {"documents": 3, "passages": 3, "training_pairs": 60 if dense else 0}
            made[name] = stage.finish(counts=counts)
    stage = Stage(verb="v", kind="choice", output=workspace / "choice", config={}, inputs={})
    with stage.writing():
        reason = "trained from scratch, since start=static was given"
        record = ChoiceRecord(architecture="static", start="", adapts=False, reason=reason)
        stage.finish(counts={}, details=record)
    stage = Stage(
        verb="build", kind="index", output=workspace / "index", config={},
        inputs={"embeddings": made["embeddings"]} if dense else {},
    )  # fmt: skip
    index = IndexRecord(
        passages=3,
        encoder=EncoderReference(content_hash="a", variant="static") if dense else None,
        dense={"variant": "exact"} if dense else None,
        sparse={"variant": "bm25s"},
        fusion=None,
    )
    with stage.writing():
        stage.finish(counts={}, details=index)


@pytest.fixture
def quickstart(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., tuple[list[StageSpec], dict[str, Any]]]:
    """Return a function that runs the verb with stages that only write an index."""

    def run(*words: str, dense: bool = True) -> tuple[list[StageSpec], dict[str, Any]]:
        calls: list[tuple[list[StageSpec], dict[str, Any]]] = []

        def run_stages(stages: Sequence[StageSpec], **given: Any) -> None:
            calls.append((list(stages), given))
            write_artifacts(given["workspace"], dense=dense)

        monkeypatch.setattr(module, "run_stages", run_stages)
        main(settings(*words))
        (call,) = calls
        return call

    return run


def test_without_a_folder_it_reads_pythons_documentation(
    quickstart: Callable[..., tuple[list[StageSpec], dict[str, Any]]],
) -> None:
    stages, given = quickstart("start=static")
    assert stages[0].settings == {"source": "python_documentation"}
    assert "prepare-questions" in [stage.verb for stage in stages]
    assert given == {
        "workspace": Path("spider-work/quickstart"),
        "retrain": False,
        "verbose": False,
    }
    assert last_workspace() == "spider-work/quickstart"


def test_a_folder_of_ones_own_has_its_own_workspace(
    quickstart: Callable[..., tuple[list[StageSpec], dict[str, Any]]], tmp_path: Path
) -> None:
    folder = tmp_path / "it's, (my) notes = é"
    folder.mkdir()
    stages, given = quickstart(str(folder), "retrain=true", "start=static")
    assert stages[0].settings == {"source": "folder", "source.path": str(folder)}
    assert "prepare-questions" not in [stage.verb for stage in stages]
    assert given == {
        "workspace": Path(workspace_of(str(folder))),
        "retrain": True,
        "verbose": False,
    }


def test_a_folder_that_is_not_there_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none: no such folder") as caught:
        main(settings("none"))
    assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dense", [True, False])
def test_it_ends_with_the_command_to_ask_and_says_what_search_matches(
    dense: bool,
    quickstart: Callable[..., tuple[list[StageSpec], dict[str, Any]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    quickstart("workspace=w", "start=static", dense=dense)
    said = capsys.readouterr().out
    assert said.endswith(
        'Everything is in w. To ask a question:\n  spider search "your question"\n'
    )
    assert said.startswith("\nRead: 3 documents, 3 passages.\nSearch matches words")
    assert ("words (BM25) and meaning.\nEncoder: trained from scratch, since" in said) == dense
    assert "There is too little text to judge how well this works.\n" in said


@pytest.mark.parametrize(("words", "minutes"), [((), None), (("--minutes", "2"), 2.0)])
def test_minutes_reach_the_training_of_a_folder(words: Sequence[str], minutes: Any) -> None:
    stages = settings("notes", *words).own_files["stages"]
    assert stages["train_an_encoder_from_scratch"]["settings"]["training.minutes"] == minutes


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("inf")])
def test_a_training_time_is_above_zero(minutes: float) -> None:
    with pytest.raises(ConfigError, match="setting minutes"):
        QuickstartSettings(documentation={}, own_files={}, minutes=minutes)


@pytest.mark.parametrize(
    ("start", "code", "said"),
    [
        ("./nowhere", 3, "no such folder"),
        ("", 2, "setting start"),
        ("  ", 2, "setting start"),
        ("notes", 3, "notes"),
    ],
)
def test_a_start_that_cannot_be_used_is_refused_before_documents_are_read(
    start: str, code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "notes").mkdir()
    with pytest.raises(SpiderError, match=said) as caught:
        main(settings("notes", "--start", start))
    assert caught.value.exit_code == code
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_an_untrained_encoder_is_made_for_the_demo_only() -> None:
    def named(stages: Any) -> list[str]:
        made = build_stages(stages["stages"], where="stages")
        return [stage.title for stage in made if "untrained" in stage.title]

    found = settings("notes")
    assert len(named(found.documentation)) == 4
    assert named(found.own_files) == []
