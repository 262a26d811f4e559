"""Lines and tables on standard output: texts of users are shown as they are."""

import io
import json
import sys

import pytest
from rich.text import Text

from spider.console import PLAIN_WIDTH, say, say_json, table

HOSTILE = "a\x1b]52;c;aGk=\x07\x9b31m\u202e\r\nspider: done \udce9\x7f"
SHOWN = r"a\x1b]52;c;aGk=\x07\x9b31m\u202e\r\nspider: done \xe9\x7f"


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


def test_no_text_controls_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    assert capsys.readouterr().out == SHOWN + "\n"
    styled = Text("q\x1b: ")
    styled.append("bold", style="bold")
    say(styled)
    assert capsys.readouterr().out == "q\\x1b: bold\n"
    table(HOSTILE, ["name", "\x1bc"], [[":smile: " + HOSTILE, "1"]], note=HOSTILE)
    shown = capsys.readouterr().out
    assert set(shown) & set(map(chr, [*range(10), *range(11, 32), *range(127, 160)])) == set()
    assert ":smile:" in shown
    assert SHOWN in shown.splitlines()[0]


def test_a_style_keeps_its_place_behind_an_escaped_character(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = Text("\x1bab")
    text.stylize("bold", 1, 2)
    say(text)
    assert sys.stdout.getvalue() == "\\x1b\x1b[1ma\x1b[0mb\n"  # type: ignore[attr-defined]


def test_json_holds_the_text_itself_and_no_control_character(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say_json({"title": HOSTILE, "score": 1.5})
    line = capsys.readouterr().out
    assert line.endswith("}\n")
    assert line[:-1].isascii()
    assert line[:-1].isprintable()
    assert json.loads(line) == {"title": HOSTILE, "score": 1.5}
