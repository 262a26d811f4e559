"""Lines that are typed at a terminal are kept for the next time."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from spider.prompt.history import history_file


def test_the_history_is_in_the_users_folder_of_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    assert history_file("question") == Path("/s/spider-odqa/questions")
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert history_file("question") == Path("/h/.local/state/spider-odqa/questions")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert history_file("question") == Path("/h/.local/state/spider-odqa/questions")


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
    code = (
        "from spider.launch.typed_lines import typed_lines\n"
        "print('GOT', list(typed_lines('question')))"
    )
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
