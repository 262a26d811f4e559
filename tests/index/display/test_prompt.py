"""Questions that are typed, and their history."""

import io
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from index.display.prompt import history_file, typed_questions
from spider.errors import DataError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_file_gives_every_line_and_a_prompt_ends_at_an_empty_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one\n\n two \n"))
    assert list(typed_questions()) == ["one", "two"]
    monkeypatch.setattr("sys.stdin", Terminal("one\n\ntwo\n"))
    assert list(typed_questions()) == ["one"]
    monkeypatch.setattr("sys.stdin", Terminal("one"))
    assert list(typed_questions()) == ["one"]


def test_questions_that_are_not_utf_8_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9\n"), encoding="utf-8"))
    with pytest.raises(DataError, match=r"standard input: not UTF-8 \(byte 0xe9"):
        list(typed_questions())


def test_the_history_is_in_the_users_folder_of_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    assert history_file() == Path("/s/spider-odqa/questions")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/h")
    assert history_file() == Path("/h/.local/state/spider-odqa/questions")


def until(terminal: int, end: bytes) -> bytes:
    """Read from a terminal until a piece of text comes; fail after 20 seconds of silence."""
    said = b""
    while end not in said:
        assert select.select([terminal], [], [], 20)[0], said
        said += os.read(terminal, 1000)
    return said


@pytest.mark.parametrize("writable", [True, False])
def test_a_terminal_keeps_the_questions_for_this_user_only(tmp_path: Path, writable: bool) -> None:
    pytest.importorskip("readline")
    state = tmp_path / "state"
    if not writable:
        state.write_text("a file where the folder should be")
    code = "from index.display.prompt import typed_questions\nprint('GOT', list(typed_questions()))"
    mine, theirs = pty.openpty()
    environment = {**os.environ, "XDG_STATE_HOME": str(state), "TERM": "dumb"}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as child:
        os.close(theirs)
        try:
            until(mine, b"question> ")
            os.write(mine, b"where is it?\n")
            until(mine, b"question> ")
            os.write(mine, b"\n")
            said = until(mine, b"]")
        finally:
            child.kill()
    os.close(mine)
    assert b"GOT ['where is it?']" in said
    if writable:
        file = state / "spider-odqa" / "questions"
        assert "where is it?" in file.read_text()
        assert file.stat().st_mode & 0o077 == 0
