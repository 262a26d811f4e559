"""JSON files with one list of question objects; errors name the line or the entry."""

from pathlib import Path
from typing import Any

from spider.errors import DataError
from spider.reading import BYTE_ORDER_MARK, parse_json
from spider.sources.text_files import read_whole


def read_json_list(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON list, plain or compressed.

    Raises:
        DataError: the file is missing, is not UTF-8 or JSON, or is no list of objects.
    """
    value = parse_json(read_whole(path).removeprefix(BYTE_ORDER_MARK), path)
    if not isinstance(value, list):
        raise DataError(f"expected a JSON list, got a {type(value).__name__}", path=path)
    for number, item in enumerate(value, start=1):
        if not isinstance(item, dict):
            got = type(item).__name__
            raise DataError(f"entry {number}: expected an object, got a {got}", path=path)
    return value


def string_value(record: dict[str, Any], field: str) -> str:
    """Return a string of a record.

    Raises:
        ValueError: it is missing, blank, or something else.
    """
    value = record.get(field)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"field {field!r}: expected text, got {value!r}")
    return value


def answer_list(value: Any) -> tuple[str, ...]:
    """Return the answers of a record: a list of strings, or one string.

    Raises:
        ValueError: it is something else, or empty.
    """
    answers = [value] if isinstance(value, str) else value
    if not isinstance(answers, list) or not answers:
        raise ValueError(f"expected an answer or a list of answers, got {value!r}")
    for answer in answers:
        if not isinstance(answer, str):
            raise ValueError(f"expected a list of strings, got {answer!r} in it")
    return tuple(answers)
