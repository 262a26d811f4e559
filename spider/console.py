"""Lines and tables for the user, on standard output. Logs go to standard error."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import accumulate
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Span, Text

from spider.printable import printable

PLAIN_WIDTH = 120


class _Output(Console):
    """A console that raises the error of a closed pipe, which the launcher handles."""

    def on_broken_pipe(self) -> None:
        """Raise the error that rich would turn into exit code 1."""
        raise BrokenPipeError


_silent: ContextVar[bool] = ContextVar("silent", default=False)


@contextmanager
def silent() -> Iterator[None]:
    """Write nothing while the body runs: for the Python API, whose caller owns the output."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def say(text: str | Text = "") -> None:
    """Write one line. Markup and control characters are shown, so any text is safe."""
    if _silent.get():
        return
    _console().print(_visible(text), highlight=False)


def say_json(record: Mapping[str, Any]) -> None:
    """Write an object as one line of JSON; every character that is not ASCII is escaped."""
    if _silent.get():
        return
    # JSON leaves DEL as it is
    sys.stdout.write(json.dumps(record).replace("\x7f", "\\u007f") + "\n")


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = ""
) -> None:
    """Write a table: the first column is left-aligned, the others right."""
    if _silent.get():
        return
    caption = _visible(note) if note else None
    grid = Table(title=_visible(title), title_justify="left", title_style="bold", caption=caption)
    grid.caption_justify = "left"
    for number, column in enumerate(columns):
        grid.add_column(_visible(column), justify="left" if number == 0 else "right")
    for row in rows:
        grid.add_row(*(_visible(cell) for cell in row))
    _console().print(grid)


def _visible(text: str | Text) -> Text:
    """Return text without control characters; a style keeps its place.

    A string becomes a Text, since rich reads ``[red]`` and ``:smile:`` in strings as markup.
    """
    if isinstance(text, str):
        return Text(printable(text))
    shown = printable(text.plain)
    if shown == text.plain:
        return text
    places = list(accumulate((len(printable(character)) for character in text.plain), initial=0))
    spans = [Span(places[span.start], places[span.end], span.style) for span in text.spans]
    return Text(shown, style=text.style, spans=spans)


def _console() -> _Output:
    # made for each call, because tests and notebooks replace sys.stdout
    terminal = sys.stdout.isatty()
    return _Output(file=sys.stdout, width=None if terminal else PLAIN_WIDTH, soft_wrap=not terminal)
