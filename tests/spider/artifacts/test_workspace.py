import logging
from pathlib import Path

import pytest

from spider.artifacts.workspace import last_workspace, remember, workspace_of


def test_last_workspace_is_remembered_by_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert last_workspace() == "spider-work/default"
    remember(Path("it's [a] é"))
    assert last_workspace() == "it's [a] é"


def test_a_workspace_used_elsewhere_answers_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        (tmp_path / name / "w" / "index").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        remember(Path("w"))
    (tmp_path / "third").mkdir()
    monkeypatch.chdir(tmp_path / "third")
    assert last_workspace() == str(tmp_path / "second" / "w")
    monkeypatch.chdir(tmp_path / "first")
    assert last_workspace() == "w"
    # a workspace that was removed, or that has no index, is passed over
    (tmp_path / "first" / "w" / "index").rmdir()
    assert last_workspace() == str(tmp_path / "second" / "w")
    (tmp_path / "first" / "spider-work" / "default" / "index").mkdir(parents=True)
    assert last_workspace() == "spider-work/default"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"gone\n"])
def test_a_damaged_note_is_no_workspace(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "spider-work").mkdir()
    (tmp_path / "spider-work" / ".last").write_bytes(content)
    expected = "gone" if content.startswith(b"gone") else "spider-work/default"
    assert last_workspace() == expected


def test_nothing_is_noted_in_a_home_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    remember(Path("w"))
    assert not caplog.text
    assert last_workspace() == "w"


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
