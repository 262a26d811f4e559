"""The table of files: what is declared, what differs from it, and which names it refuses."""

import os
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.folder import file_table
from spider.artifacts.folder.file_table import (
    FileEntry,
    describe,
    faults,
    from_json,
    matches,
    to_json,
)
from spider.errors import ArtifactError


@pytest.mark.parametrize(
    ("name", "patterns", "expected"),
    [
        ("a.npy", ["*.npy"], True),
        ("deep/a.npy", ["*.npy"], False),
        ("shard-00001/a.npy", ["shard-*/*.npy"], True),
        ("lucene/a/b/c", ["lucene/**"], True),
        ("lucene", ["lucene/**"], False),
        ("a/b", ["**"], True),
        ("a.npy", [], False),
        ("x[1].npy", ["x[[]1].npy"], True),
    ],
)
def test_what_a_writer_declares(name: str, patterns: list[str], *, expected: bool) -> None:
    assert matches(name, patterns) is expected


def test_a_table_comes_back(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(b"abc")
    table = describe(tmp_path, ["deep/a"])
    # computed with: printf abc | b2sum -l 128
    assert table == {"deep/a": FileEntry(3, "cf4ab791c62b8d2b2109c90275287816")}
    assert from_json(to_json(table), where=tmp_path) == table


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "a/../../x", "", ".", "a//b", "a\0b", "..\\x", "a/.."]
)
def test_a_name_that_leads_out_of_the_artifact_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="expected a path inside the artifact"):
        from_json({name: {"size": 1, "blake2b": "00"}}, where=tmp_path)


@pytest.mark.parametrize(
    "value",
    [[], "x", {"a": 3}, {"a": {}}, {"a": {"size": "3", "blake2b": "0"}}, {"a": {"size": True}}],
)
def test_a_table_of_another_form_is_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="files: got"):
        from_json(value, where=tmp_path)


def test_each_difference_is_named(tmp_path: Path) -> None:
    for name in ("same", "longer", "flipped", "gone", "folder"):
        (tmp_path / name).write_bytes(b"abc")
    table = describe(tmp_path, ["same", "longer", "flipped", "gone", "folder"])
    (tmp_path / "longer").write_bytes(b"abcd")
    (tmp_path / "flipped").write_bytes(b"abd")
    (tmp_path / "gone").unlink()
    (tmp_path / "folder").unlink()
    (tmp_path / "folder").mkdir()
    found = [fault.removeprefix(f"{tmp_path}/") for fault in faults(tmp_path, table)]
    assert [fault[: fault.index(" ")] for fault in found] == ["longer", "flipped", "gone", "folder"]
    assert "4 bytes, expected 3" in found[0]
    assert "is damaged: blake2b" in found[1]


def test_a_large_file_is_compared_by_size_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    table = describe(tmp_path, ["a"])
    (tmp_path / "a").write_bytes(b"abd")
    assert list(faults(tmp_path, table, largest=2)) == []
    assert len(list(faults(tmp_path, table, largest=3))) == 1
    assert len(list(faults(tmp_path, table))) == 1


def test_a_file_is_compared_once_by_a_process_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    table = describe(tmp_path, ["a"])
    read: list[Path] = []
    hash_file = file_table.hash_file
    monkeypatch.setattr(
        file_table, "hash_file", lambda path, **_: [read.append(path), hash_file(path)][1]
    )
    for _ in range(3):
        assert list(faults(tmp_path, table, largest=9)) == []
    assert len(read) == 1
    assert list(faults(tmp_path, table)) == []
    assert len(read) == 2
    times = (tmp_path / "a").stat()
    (tmp_path / "a").write_bytes(b"abd")
    # somebody who hides the change by its time cannot hide that of the inode
    os.utime(tmp_path / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert len(list(faults(tmp_path, table, largest=9))) == 1


def test_a_link_is_no_payload(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/etc/passwd")
    with pytest.raises(ArtifactError, match="is a symbolic link"):
        file_table.names_below(tmp_path)
