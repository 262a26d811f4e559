"""What lies in a workspace; and that nothing but what this program wrote is ever removed."""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts import inventory
from spider.artifacts.folder.replacement import locked, record_fingerprint
from spider.artifacts.inventory import look_into, remove, workspaces_in
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError, SpiderError
from spider.reading import list_folder


def make(folder: Path, kind: str = "corpus", *, stop: bool = False, place: str = "/n") -> None:
    stage = Stage(verb="x", kind=kind, output=folder, config={"name": folder.name}, inputs={})
    with suppress(KeyboardInterrupt), stage.writing() as place_:
        (place_ / "deep").mkdir()
        (place_ / "deep" / "payload").write_text("text")
        if stop:
            raise KeyboardInterrupt
        stage.finish(counts={}, details={}, volatile={"place": place})


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """Return a folder of workspaces, beside a folder of the user's that has to stay as it is."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    root = tmp_path / "spider-work"
    make(root / "notes" / "corpus")
    make(root / "notes" / "nq" / "run", "run")
    make(root / "notes" / "index", "index", stop=True)
    (root / "empty").mkdir()
    (root / "photos").mkdir()
    (root / "photos" / "cat.jpg").write_text("cat")
    (root / ".last").write_text("spider-work/notes")
    yield root
    assert (precious / "thesis.txt").read_text() == "years of work"
    assert (root / "photos" / "cat.jpg").read_text() == "cat"


def files(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*"))


def test_a_workspace_is_listed_with_what_is_in_it(root: Path) -> None:
    (found,) = workspaces_in(root)
    assert found.path == root / "notes"
    assert found.artifacts == ("corpus", "index.partial", "nq/run")
    assert found.foreign == ()
    assert found.source == "/n"
    assert found.size == sum(f.stat().st_size for f in found.path.rglob("*") if f.is_file())
    assert found.changed > 0
    assert workspaces_in(root / "nowhere") == []


def test_a_workspace_goes_whole_where_all_of_it_is_ours(root: Path) -> None:
    assert remove(root / "notes") == []
    assert not (root / "notes").exists()
    assert files(root) == [".last", "empty", "photos", "photos/cat.jpg"]


def test_what_a_person_put_there_stays(root: Path) -> None:
    notes = root / "notes"
    (notes / "corpus" / "deep" / "remark.txt").write_text("mine")
    (notes / "corpus.old").mkdir()
    (notes / "corpus.old" / "backup.txt").write_text("mine")
    (notes / "thesis.partial").mkdir()
    (notes / "thesis.partial" / "chapter.txt").write_text("mine")
    (notes / "todo.txt").write_text("mine")
    assert look_into(notes).foreign == ("corpus.old", "thesis.partial", "todo.txt")
    left = [path.relative_to(notes).as_posix() for path in remove(notes)]
    assert left == [
        *("corpus/deep/remark.txt", "corpus.old/backup.txt"),
        *("thesis.partial/chapter.txt", "todo.txt"),
    ]
    assert all((notes / name).read_text() == "mine" for name in left)
    with pytest.raises(ArtifactError, match="no artifact of this program"):
        remove(notes)


def test_no_link_is_followed(root: Path, tmp_path: Path) -> None:
    notes = root / "notes"
    (notes / "spans").symlink_to(tmp_path / "precious")
    (notes / "index.partial" / "link").symlink_to(tmp_path / "precious")
    # a folder of the manifest that became a link: its file must not be reached through it
    (notes / "corpus" / "deep" / "payload").unlink()
    (notes / "corpus" / "deep").rmdir()
    (tmp_path / "precious" / "payload").write_text("text")
    (notes / "corpus" / "deep").symlink_to(tmp_path / "precious")
    (root / "link").symlink_to(notes)
    assert [workspace.path.name for workspace in workspaces_in(root)] == ["notes"]
    with pytest.raises(ArtifactError, match="a symbolic link, which is not followed"):
        remove(root / "link")
    left = remove(notes)
    assert left == [notes / "corpus" / "deep", notes / "spans"]
    assert (tmp_path / "precious" / "payload").read_text() == "text"


def test_a_folder_of_workspaces_is_no_workspace(root: Path) -> None:
    before = files(root.parent)
    for folder in (root, root.parent):
        with pytest.raises(ArtifactError, match="no artifact of this program lies in it"):
            remove(folder)
    assert files(root.parent) == before


@pytest.mark.parametrize("name", ["photos", "empty", "nowhere", ".last"])
def test_a_folder_without_an_artifact_is_refused(root: Path, name: str) -> None:
    before = files(root)
    with pytest.raises(ArtifactError):
        remove(root / name)
    assert files(root) == before


def test_a_workspace_that_is_being_written_stays(root: Path) -> None:
    with locked(root / "notes" / "index"):
        record_fingerprint(root / "notes" / "index.partial", "x")
        before = files(root)
        with pytest.raises(ArtifactError, match="being written by another process"):
            remove(root / "notes")
        assert files(root) == before


def test_an_artifact_whose_manifest_is_damaged_stays(root: Path) -> None:
    manifest = root / "notes" / "corpus" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"deep/payload"', '"../../../precious"'))
    left = remove(root / "notes")
    assert manifest in left


def test_a_folder_that_cannot_be_read_hides_no_workspace(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(folder: Path, *, error: type[SpiderError]) -> list[Path]:
        if folder.name in ("photos", "private"):
            raise error(f"{folder}: permission denied")
        return list_folder(folder, error=error)

    (root / "notes" / "private").mkdir()
    monkeypatch.setattr(inventory, "list_folder", listed)
    (found,) = workspaces_in(root)
    assert found.foreign == ("private",)
    assert found.artifacts


def test_a_folder_that_cannot_be_read_is_left_and_said(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal of a workspace with such a folder said that all of it is gone."""
    locked = root / "notes" / "locked"
    locked.mkdir()
    scandir, stat = os.scandir, Path.stat

    def failing_scandir(path: Any) -> Any:
        if str(path) == str(locked):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    def failing_stat(path: Path, **more: Any) -> os.stat_result:
        if path.parent == locked:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", failing_scandir)
        patch.setattr(Path, "stat", failing_stat)
        (found,) = workspaces_in(root)
        assert found.artifacts == ("corpus", "index.partial", "nq/run")
        assert remove(root / "notes") == [locked]
    assert files(root / "notes") == ["locked"]
