"""Removal of a run or report of earlier documents: nothing else is ever removed."""

import json
from pathlib import Path

import pytest

from spider.artifacts import inventory
from spider.artifacts.folder.manifest import MANIFEST, seal
from spider.artifacts.stage import Stage
from spider.launch.pipeline.stale import remove_stale_measure


def make(path: Path, kind: str = "report") -> Path:
    stage = Stage(verb="v", kind=kind, output=path, config={}, inputs={})
    with stage.writing() as folder:
        (folder / "trec").mkdir()
        (folder / "trec" / "a.run").write_text("run")
        (folder / "report.md").write_text("report")
        stage.finish(counts={})
    return path


@pytest.mark.parametrize("kind", ["run", "report"])
def test_a_run_or_a_report_is_removed_whole(kind: str, tmp_path: Path) -> None:
    assert remove_stale_measure(make(tmp_path / "made", kind), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_person_put_there_stays(tmp_path: Path) -> None:
    made = make(tmp_path / "made")
    (made / "my notes.txt").write_text("mine")
    (made / "trec" / "mine.run").write_text("mine")
    assert remove_stale_measure(made, tmp_path)
    left = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert left == {"my notes.txt", "trec/mine.run"}


def test_other_artifacts_and_other_places_are_left_alone(tmp_path: Path) -> None:
    index = make(tmp_path / "index", "index")
    elsewhere = make(tmp_path / "elsewhere" / "report")
    (tmp_path / "link").symlink_to(elsewhere)
    (tmp_path / "folder").mkdir()
    for output in (index, elsewhere, tmp_path / "link", tmp_path / "folder", tmp_path / "none"):
        assert not remove_stale_measure(output, tmp_path)
    assert (index / "report.md").is_file()
    assert (elsewhere / "report.md").is_file()


@pytest.mark.parametrize("name", ["../precious", "{}/precious", "trec/../../precious"])
def test_a_hostile_manifest_removes_nothing(name: str, tmp_path: Path) -> None:
    made = make(tmp_path / "made")
    precious = tmp_path / "precious"
    precious.write_text("precious")
    manifest = json.loads((made / MANIFEST).read_text())
    manifest["files"][name.format(tmp_path)] = manifest["files"]["report.md"]
    (made / MANIFEST).write_text(json.dumps(seal(manifest)))
    assert not remove_stale_measure(made, tmp_path)
    assert precious.is_file()
    assert (made / "report.md").is_file()


def test_a_linked_sub_folder_is_not_followed(tmp_path: Path) -> None:
    made = make(tmp_path / "made")
    outside = tmp_path / "outside"
    (made / "trec").rename(outside)
    (made / "trec").symlink_to(outside)
    remove_stale_measure(made, tmp_path)
    assert (outside / "a.run").is_file()


def test_a_removal_that_was_killed_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(tmp_path / "made")
    with monkeypatch.context() as patch:
        patch.setattr(inventory, "_remove_empty_folders", raise_interrupt)
        unlink = Path.unlink
        patch.setattr(
            Path,
            "unlink",
            lambda file: raise_interrupt() if file.name == MANIFEST else unlink(file),
        )
        with pytest.raises(KeyboardInterrupt):
            remove_stale_measure(made, tmp_path)
    assert [file.name for file in made.rglob("*") if file.is_file()] == [MANIFEST]
    assert remove_stale_measure(made, tmp_path)
    assert not made.exists()


def test_a_manifest_that_is_a_link_removes_no_file_of_another(tmp_path: Path) -> None:
    made = make(tmp_path / "made")
    other = tmp_path / "other.json"
    (made / MANIFEST).rename(other)
    (made / MANIFEST).symlink_to(other)
    (made / "my notes.txt").write_text("mine")
    remove_stale_measure(made, tmp_path)
    assert other.is_file()
    assert (made / "my notes.txt").read_text() == "mine"


def raise_interrupt() -> None:
    raise KeyboardInterrupt
