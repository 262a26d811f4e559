import logging
from pathlib import Path

import pytest

from spider.artifacts.workspace import last_workspace, remember, workspace_of


def test_last_workspace_is_remembered_by_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert last_workspace() == "spider-work/default"
    remember(Path("it's [a] é"))
    assert last_workspace() == "it's [a] é"


def test_folder_that_cannot_be_written_loses_only_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spider-work").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        remember(Path("w"))
    assert "give --workspace to search" in caplog.text


def test_folders_of_one_name_have_workspaces_of_their_own(tmp_path: Path) -> None:
    first, second = (workspace_of(str(tmp_path / place / "notes")) for place in "ab")
    assert first != second
    assert first.startswith("spider-work/notes-")
    assert workspace_of(None) == "spider-work/quickstart"


def test_a_home_of_nobody_is_left_to_the_setting_that_names_it() -> None:
    assert workspace_of("~no-such-user").startswith("spider-work/no-such-user-")
