"""Editing and history of the lines that a person types at a prompt."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spider.artifacts.workspace import user_state

KEPT = 1000
"""Lines in the history."""


def history_file(what: str) -> Path:
    """Return the file of earlier lines of a kind."""
    return user_state() / f"{what}s"


@contextmanager
def line_history(what: str) -> Iterator[None]:
    """Edit lines with readline, and keep them for the next time, for this user only.

    Args:
        what: the word for a line (``question``).
    """
    try:
        import readline
    except ImportError:  # Windows, and a Python that was built without it
        yield
        return
    # a test or a notebook has replaced standard input
    if sys.stdin is not sys.__stdin__:
        yield
        return
    # without a home, or on a read-only disk, the prompt works without a memory
    with suppress(OSError, RuntimeError):
        readline.read_history_file(history_file(what))
    try:
        yield
    finally:
        with suppress(OSError, RuntimeError):
            file = history_file(what)
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not file.exists():
                file.touch(mode=0o600)
            readline.set_history_length(KEPT)
            readline.write_history_file(file)
