"""The order of the walk, and what is an entry."""

import os
from pathlib import Path

import pytest

from spider.errors import DataError
from spider.sources.files.folder_walk import walk


def test_files_come_before_folders_and_both_by_name(tmp_path: Path) -> None:
    for name in ("b/2.txt", "b/a/3.txt", "z.txt", "a.txt", "a/1.txt", ".hidden/x", "b/.y"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("12")
    entries = list(walk(tmp_path, lambda folder: folder.name != "a" or folder.parent != tmp_path))
    assert [entry.id for entry in entries] == ["a.txt", "z.txt", "b/2.txt", "b/a/3.txt"]
    assert {(entry.reason, entry.size) for entry in entries} == {("", 2)}
    assert entries[0].modified == (tmp_path / "a.txt").stat().st_mtime_ns
    assert entries[3].path == tmp_path / "b" / "a" / "3.txt"


def test_links_pipes_and_sockets(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("real")
    (tmp_path / "to_file.txt").symlink_to("real.txt")
    (tmp_path / "to_nothing.txt").symlink_to("nothing")
    (tmp_path / "to_itself.txt").symlink_to("to_itself.txt")
    (tmp_path / "to_parent").symlink_to("..")
    os.mkfifo(tmp_path / "pipe")
    found = {entry.id: entry.reason for entry in walk(tmp_path, lambda _: True)}
    assert found == {
        "pipe": "not_a_file",
        "real.txt": "",
        "to_file.txt": "",
        "to_itself.txt": "not_a_file",
        "to_nothing.txt": "not_a_file",
        "to_parent": "folder_link",
    }


def test_a_folder_that_cannot_be_walked_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    for name, said in (("file", "is a file"), ("none", "does not exist"), ("loop", "loop")):
        with pytest.raises(DataError, match=rf"{name}: expected a folder .*{said}"):
            list(walk(tmp_path / name, lambda _: True))
