"""Lines and tables for the user, on standard output. Logs go to standard error."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

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
    """Write a line. Markup is not interpreted, so any text is safe."""
    if _silent.get():
        return
    _console().print(escape(text) if isinstance(text, str) else text, highlight=False)


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = ""
) -> None:
    """Write a table: the first column is left-aligned, the others right."""
    if _silent.get():
        return
    grid = Table(title=escape(title), title_justify="left", title_style="bold", caption=note)
    grid.caption_justify = "left"
    for number, column in enumerate(columns):
        grid.add_column(escape(column), justify="left" if number == 0 else "right")
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    _console().print(grid)


def _console() -> _Output:
    # made for each call, because tests and notebooks replace sys.stdout
    terminal = sys.stdout.isatty()
    return _Output(file=sys.stdout, width=None if terminal else PLAIN_WIDTH, soft_wrap=not terminal)
