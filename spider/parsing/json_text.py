"""JSON in which a key stands once in each object.

Python's parser keeps the last of two values and says nothing, and other parsers keep the first. So
what a person meant is not known, and both values together are an error.
"""

import json
from collections import Counter
from contextlib import suppress
from json import scanner
from typing import Any

SHOWN = 60


class RepeatedKeyError(ValueError):
    """An object has a key twice.

    Args:
        key: the key.
        lineno: the line where the object begins, from 1; None where it is not known.
    """

    def __init__(self, key: str, lineno: int | None = None):
        super().__init__(f"the key {key[:SHOWN]!r} stands twice in one object; delete one of them")
        self.key = key
        self.lineno = lineno


def parse(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: it is not JSON, or an object in it has a key twice.
        RecursionError: it is nested too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RepeatedKeyError as error:
        raise RepeatedKeyError(error.key, _line_of_repeated_key(text)) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise RepeatedKeyError(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return record


def _line_of_repeated_key(text: str | bytes) -> int | None:
    """Return the line where the first object with a repeated key begins."""
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    python: Any = json.JSONDecoder(object_pairs_hook=_unique)
    parse_object = python.parse_object
    begins: list[int] = []

    def noting(state: tuple[str, int], *settings: Any) -> Any:
        try:
            return parse_object(state, *settings)
        except RepeatedKeyError:
            begins.append(state[1])
            raise

    # the scanner in C tells no position; the one in Python is slow, and called for the line alone
    python.parse_object = noting
    python.scan_once = getattr(scanner, "py_make_scanner")(python)  # noqa: B009 - no type stub
    with suppress(RepeatedKeyError, RecursionError):
        python.decode(text)
    return text.count("\n", 0, begins[0]) + 1 if begins else None
