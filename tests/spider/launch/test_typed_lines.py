import io
import sys

import pytest

from spider.errors import DataError
from spider.launch.typed_lines import typed_lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def piped(data: bytes, encoding: str = "utf-8", errors: str = "strict") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), encoding=encoding, errors=errors)


def test_piped_lines_are_taken_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", piped(b"\xef\xbb\xbfa b\r\n\n  c \nlast"))
    assert list(typed_lines("question")) == ["a b", "  c ", "last"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("a\n\nb"))
    assert list(typed_lines("question")) == ["a", "b"]
    # the locale does not decide
    monkeypatch.setattr(sys, "stdin", piped("né".encode(), "latin-1"))
    assert list(typed_lines("question")) == ["né"]


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_other_bytes_name_their_line_and_the_lines_before_are_answered(
    errors: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", piped(b"first\n\nn\xe9\nlast\n", errors=errors))
    lines = typed_lines("question")
    assert next(lines) == "first"
    with pytest.raises(DataError, match=r"^standard input:3: not UTF-8 \(byte 0xe9 at 1\)"):
        next(lines)


def test_a_closed_input_has_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert list(typed_lines("question")) == []


def test_an_empty_line_at_a_terminal_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("a\n\nb\n"))
    assert list(typed_lines("prompt")) == ["a"]
    assert capsys.readouterr().out == "prompt> prompt> "
    monkeypatch.setattr(sys, "stdin", Terminal("a"))
    assert list(typed_lines("prompt")) == ["a"]
