"""Questions that a person types: a prompt with a history, or the lines of a file."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spider.errors import DataError

logger = logging.getLogger(__name__)

PROMPT = "question> "
KEPT = 1000
"""Questions in the history."""


def typed_questions() -> Iterator[str]:
    """Yield the lines of standard input that are not empty; at a prompt an empty one ends."""
    if not sys.stdin.isatty():
        yield from (line.strip() for line in iter(_next_line, None) if line.strip())
        return
    logger.info("type a question, or the number of a passage to read it whole; Ctrl-D ends")
    with _history():
        while line := (_next_line(PROMPT) or "").strip():
            yield line


def _next_line(prompt: str = "") -> str | None:
    try:
        return input(prompt)
    except EOFError:
        return None
    except UnicodeDecodeError as error:
        raise DataError(
            f"standard input: not UTF-8 (byte 0x{error.object[error.start]:02x}); convert the "
            "questions to UTF-8"
        ) from error


def history_file() -> Path:
    """Return the file of earlier questions (XDG base directory specification)."""
    state = os.environ.get("XDG_STATE_HOME")
    folder = Path(state) if state else Path.home() / ".local" / "state"
    return folder / "spider-odqa" / "questions"


@contextmanager
def _history() -> Iterator[None]:
    """Edit lines with readline, and keep the questions for the next time, for this user only."""
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
        readline.read_history_file(history_file())
    try:
        yield
    finally:
        with suppress(OSError, RuntimeError):
            file = history_file()
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not file.exists():
                file.touch(mode=0o600)
            readline.set_history_length(KEPT)
            readline.write_history_file(file)
