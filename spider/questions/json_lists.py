"""JSON files with one list of question objects; errors name the line or the entry."""

from pathlib import Path
from typing import Any

from spider.errors import DataError
from spider.parsing.nested_json import refuse_squad
from spider.reading import BYTE_ORDER_MARK, parse_json
from spider.sources.formats.fields import id_field, is_whole, shown
from spider.sources.text_files import read_whole


def read_json_list(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON list, plain or compressed.

    Raises:
        DataError: the file is missing, is not UTF-8 or JSON, or is no list of objects.
    """
    content = read_whole(path).removeprefix(BYTE_ORDER_MARK)
    refuse_squad(content, path)
    value = parse_json(content, path)
    if not isinstance(value, list):
        raise DataError(f"expected a JSON list, got a {type(value).__name__}", path=path)
    for number, item in enumerate(value, start=1):
        if not isinstance(item, dict):
            got = type(item).__name__
            raise DataError(f"entry {number}: expected an object, got a {got}", path=path)
    return value


def answer_list(value: Any) -> tuple[str, ...]:
    """Return the answers of a record: one string, or a list of strings.

    Null and an empty list are no answer, as in SQuAD 2.0: the question cannot be answered.

    Raises:
        ValueError: it is something else.
    """
    answers = _listed(value, "an answer or a list of answers")
    for answer in answers:
        if not isinstance(answer, str):
            raise ValueError(f"expected a list of strings, got {shown(answer)} in it")
    return tuple(answers)


def passage_ids(value: Any) -> tuple[str, ...]:
    """Return the ids of passages or documents of a record; a whole number counts as an id.

    Raises:
        ValueError: it is something else.
    """
    ids = _listed([value] if is_whole(value) else value, "an id or a list of ids")
    return tuple(id_field({"answer": one}, "answer") for one in ids)


def _listed(value: Any, expected: str) -> list[Any]:
    if value is None:
        return []
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        hint = ""
        if isinstance(value, dict):
            hint = "; dots in the name of the field reach into it: answers.text"
        raise ValueError(f"expected {expected}, got {shown(value)}{hint}")
    return listed
