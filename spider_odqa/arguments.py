"""Checks what a person passes to the API: a wrong value is one line, and is never converted."""

from collections.abc import Iterable
from operator import index
from os import PathLike
from pathlib import Path
from typing import Any

from spider.errors import ConfigError, SettingError
from spider.question import is_blank


def checked_questions(questions: Any) -> list[str]:
    """Return questions as a list.

    Raises:
        ConfigError: they are no list, or one of them is no text or is empty.
    """
    if isinstance(questions, str):
        raise ConfigError("questions: got one string, expected a list; search takes one")
    if not isinstance(questions, Iterable):
        raise ConfigError(f"questions: got {questions!r}, expected a list of texts")
    texts = list(questions)
    for text in texts:
        if not isinstance(text, str):
            raise ConfigError(f"question: got {text!r}, expected a text")
        if is_blank(text):
            raise ConfigError("a question is empty")
    return texts


def checked_count(name: str, value: Any, *, least: int) -> int:
    """Return a whole number; NumPy's count, too.

    Raises:
        ConfigError: it is no whole number, is true or false, or is below ``least``.
    """
    expected = f"a whole number of at least {least}"
    try:
        number = index(value)
    except TypeError:
        raise SettingError(name, value, expected) from None
    if isinstance(value, bool) or number < least:
        raise SettingError(name, value, expected)
    return number


def checked_path(name: str, value: Any) -> Path:
    """Return a path; ``~`` is expanded.

    Raises:
        ConfigError: it is no path.
    """
    if not isinstance(value, str | PathLike) or not value:
        raise ConfigError(f"{name}: got {value!r}, expected a path")
    return Path(value).expanduser()
