"""Lines and tables on standard output: texts of users are shown as they are."""

import io
import sys

import pytest
from rich.text import Text

from spider.console import PLAIN_WIDTH, say, table


def test_markup_in_a_text_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    say("a [bold]b[/bold] [/] c")
    say(Text("d"))
    say()
    assert capsys.readouterr().out == "a [bold]b[/bold] [/] c\nd\n\n"


def test_a_long_line_is_one_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    say("word " * 100)
    assert capsys.readouterr().out.count("\n") == 1


def test_a_table_holds_its_cells(capsys: pytest.CaptureFixture[str]) -> None:
    table("Title [x]", ["name", "value"], [["a [red]", "1"], ["bb", "22"]], note="the note")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "Title [x]"
    assert max(map(len, lines)) <= PLAIN_WIDTH
    rows = [line.split("│") for line in lines if "│" in line]
    assert [cell.strip() for cell in rows[0] if cell.strip()] == ["a [red]", "1"]
    # names to the left, numbers to the right
    assert rows[1][1].startswith(" bb")
    assert rows[1][2].endswith("22 ")
    assert "the note" in lines[-1]


def test_a_closed_pipe_is_the_callers_business(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(BrokenPipeError):
        say("x")
