"""Checks the fields of a record; a value of another type is an error, never turned into text."""

from collections.abc import Mapping
from typing import Any

from spider.question import is_blank


def text_field(record: Mapping[str, Any], name: str, *, setting: str = "") -> str:
    """Return a field's text, which may be blank; a whole number counts as its digits.

    Args:
        record: the row.
        name: the field; dots reach into a field that is an object (``answers.text``).
        setting: the setting that names the field, for the message about a missing one.

    Raises:
        ValueError: the field is missing, or has another type.
    """
    value = find_field(record, name, setting=setting)
    if isinstance(value, str):
        return value
    if is_whole(value):
        return str(value)
    raise ValueError(f"field {name!r}: expected a string, got {shown(value)}")


def filled_field(record: Mapping[str, Any], name: str, *, setting: str = "") -> str:
    """Return a field's text, which must not be blank.

    Raises:
        ValueError: the field is missing, blank, or not a string.
    """
    value = find_field(record, name, setting=setting)
    if not isinstance(value, str) or is_blank(value):
        raise ValueError(f"field {name!r}: expected text, got {shown(value)}")
    return value


def id_field(record: Mapping[str, Any], name: str, *, setting: str = "") -> str:
    """Return a field's id: a string that is not blank, or a whole number, which counts as one.

    So 7 and "7" are one id. A fraction is refused: pandas writes 7 as 7.0 where another row has no
    id, and "7.0" would match no judgement.

    Raises:
        ValueError: the field is missing, blank, or has another type.
    """
    value = find_field(record, name, setting=setting)
    if is_whole(value):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"field {name!r}: expected an id, got {shown(value)}")
    return value


def title_field(record: Mapping[str, Any], name: str | None) -> str:
    """Return a field's title; empty if the name is null, or the row has none.

    Raises:
        ValueError: the field has another type.
    """
    if name is None or (name in record and record[name] is None) or not has_field(record, name):
        return ""
    value = find_field(record, name)
    return "" if value is None else text_field(record, name)


def has_field(record: Mapping[str, Any], name: str) -> bool:
    """Return whether a record has a field, itself or inside an object."""
    return bool(_reach(record, name))


def find_field(record: Mapping[str, Any], name: str, *, setting: str = "") -> Any:
    """Return a field's value; a name with dots reaches into objects.

    Raises:
        ValueError: there is no such field.
    """
    found = _reach(record, name)
    if not found:
        known = ", ".join(map(str, record)) or "none"
        fix = f"; {setting}=NAME says which one it is" if setting else ""
        raise ValueError(f"no field {name!r}; the fields are: {known}{fix}")
    return found[0]


def is_whole(value: object) -> bool:
    """Return whether a value is a whole number, and not true or false."""
    return isinstance(value, int) and not isinstance(value, bool)


def shown(value: object, *, longest: int = 40) -> str:
    """Return a value for a message, cut where it is long."""
    if value is None:
        return "null"
    text = repr(value)
    return text if len(text) <= longest else f"{text[:longest]}..."


def _reach(record: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    """Return the value alone in a tuple; empty if there is none."""
    if name in record:
        return (record[name],)
    value: Any = record
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return ()
        value = value[part]
    return (value,)
