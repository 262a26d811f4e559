"""What lies below a folder: links and folders that cannot be read are entries."""

import os
from pathlib import Path

import pytest

from spider.artifacts.folder.listing import files_below, is_folder, size_of


def test_links_and_unreadable_folders_are_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "locked"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "file").write_text("four")
    (tmp_path / "link").symlink_to("a")
    scandir = os.scandir

    def failing(path: str) -> object:
        if str(path) == str(tmp_path / "locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    found = sorted(file.relative_to(tmp_path).as_posix() for file in files_below(tmp_path))
    assert found == ["a/file", "link", "locked"]
    assert [*files_below(tmp_path / "nowhere")] == []
    assert size_of(tmp_path / "a" / "file") == 4
    assert size_of(tmp_path / "nowhere") == 0
    assert [is_folder(tmp_path / name) for name in ("a", "link", "nowhere")] == [True, False, False]
