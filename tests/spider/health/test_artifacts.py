"""Verifying artifacts: every damaged byte is named, and what is no damage is a note."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import Artifact
from spider.artifacts.folder import file_table
from spider.artifacts.folder.manifest import MANIFEST
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError
from spider.health.artifacts import ArtifactsCheck, artifacts_below, verify
from spider.health.finding import HealthCheck


def write(output: Path, kind: str = "corpus", **inputs: Artifact) -> Artifact:
    made = Stage(
        verb="v", kind=kind, output=output, config={"name": output.name}, inputs=inputs,
        overwrite=True,
    )  # fmt: skip
    with made.writing() as folder:
        (folder / "lucene").mkdir()
        (folder / "lucene" / "_0.cfs").write_bytes(b"segment")
        (folder / "data").write_bytes(b"abc")
        return made.finish(counts={}, unhashed=["lucene"])


def test_an_artifact_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "corpus")
    found = verify(tmp_path / "corpus")
    assert (found.kind, found.files, found.size, found.damage) == ("corpus", 2, 10, ())
    assert found.notes == ()


@pytest.mark.parametrize("name", ["data", "lucene/_0.cfs", MANIFEST])
def test_a_flipped_bit_is_named_with_its_fix(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a file that is too large to be compared on opening, and in Lucene's."""
    monkeypatch.setattr(file_table, "SMALL", 0)
    write(tmp_path / "corpus")
    file = tmp_path / "corpus" / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    found = verify(tmp_path / "corpus")
    assert len(found.damage) == 1
    assert name in found.damage[0]
    assert "spider prepare … overwrite=true" in found.remedy


def test_what_is_no_damage_is_a_note(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus")
    write(tmp_path / "spans", "spans", corpus=corpus)
    shutil.copytree(tmp_path / "spans", tmp_path / "spans.old")
    (tmp_path / "spans" / "todo.txt").write_text("x")
    shutil.rmtree(tmp_path / "corpus")
    found = verify(tmp_path / "spans")
    assert found.damage == ()
    assert [note.partition(" ")[0] for note in found.notes[:2]] == ["its", "not"]
    assert "spans.old is an older version" in found.notes[2]


def test_artifacts_of_a_workspace_and_of_several_are_found(tmp_path: Path) -> None:
    for place in ("a/corpus", "a/index", "b/corpus"):
        write(tmp_path / place)
    shutil.copytree(tmp_path / "a" / "index", tmp_path / "a" / "index.old")
    (tmp_path / "loop").symlink_to(tmp_path)
    places = artifacts_below(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in places] == [
        "a/corpus", "a/index", "b/corpus",
    ]  # fmt: skip
    assert artifacts_below(tmp_path / "a" / "index") == [tmp_path / "a" / "index"]
    for nothing in (tmp_path / "nowhere", tmp_path / "a" / "index" / "data"):
        with pytest.raises(ArtifactError, match="no artifact here"):
            artifacts_below(nothing)


def unreadable(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make a folder unreadable, for root too: the disk reports an error."""
    scandir, stat = os.scandir, Path.stat

    def failing_scandir(path: Any) -> Any:
        if str(path) == str(folder):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return scandir(path)

    def failing_stat(path: Path, **more: Any) -> os.stat_result:
        if path.parent == folder:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return stat(path, **more)

    monkeypatch.setattr(os, "scandir", failing_scandir)
    monkeypatch.setattr(Path, "stat", failing_stat)


@pytest.mark.parametrize("place", ["b", "a/lost", "a/index", "a/deep/er"])
def test_a_folder_that_cannot_be_read_is_one_line_and_hides_no_other(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a" / "corpus")
    write(tmp_path / "c" / "corpus")
    (tmp_path / place).mkdir(parents=True)
    unreadable(monkeypatch, tmp_path / place)
    found = {path.relative_to(tmp_path).as_posix(): path for path in artifacts_below(tmp_path)}
    if place == "a/deep/er":
        # too deep for an artifact of a workspace
        assert set(found) == {"a/corpus", "c/corpus"}
        return
    assert set(found) == {"a/corpus", "c/corpus", place}
    assert not verify(found["a/corpus"]).damage
    broken = verify(found[place])
    assert not broken.readable
    assert broken.damage == (f"{found[place]}: cannot be read: the disk reports an error",)
    assert "chmod u+rx" in broken.remedy
    levels = [finding.level for finding in ArtifactsCheck(workspace=tmp_path).findings()]
    assert sorted(levels) == ["fail", "ok", "ok"]


def test_an_artifact_without_a_readable_manifest_is_damaged_and_not_unreadable(
    tmp_path: Path,
) -> None:
    write(tmp_path / "corpus")
    (tmp_path / "corpus" / MANIFEST).write_text("{")
    assert verify(tmp_path / "corpus").readable


def test_the_check_of_doctor(tmp_path: Path) -> None:
    assert isinstance(ArtifactsCheck(), HealthCheck)
    assert list(ArtifactsCheck().findings()) == []
    assert [f.level for f in ArtifactsCheck(workspace=tmp_path).findings()] == ["warn"]
    write(tmp_path / "corpus")
    write(tmp_path / "index")
    (tmp_path / "index" / "data").write_bytes(b"abd")
    found = list(ArtifactsCheck(workspace=tmp_path).findings())
    assert [finding.level for finding in found] == ["ok", "fail"]
    assert "is damaged" in found[1].text
