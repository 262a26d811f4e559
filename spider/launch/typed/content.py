"""The part of a configuration that decides the content of an output."""

import json
from collections.abc import Mapping
from typing import Any

from spider.launch.typed.objects import TARGET, import_class
from spider.launch.typed.schema import alternatives, nested_class, settings_of


def content(cls: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not marked as execution, down to the settings of variants.

    Args:
        cls: the settings dataclass.
        values: the composed configuration, as plain values.

    Returns:
        JSON values; an integer given for a float is written as a float.
    """
    kept: dict[str, Any] = json.loads(json.dumps(_content(cls, values)))
    return kept


def _content(cls: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    settings = settings_of(cls)
    kept: dict[str, Any] = {}
    for name, value in values.items():
        setting = settings.get(name)
        if name == TARGET:
            kept[name] = value
        elif setting is not None and not setting.execution:
            kept[name] = _value(setting.annotation, value)
    return kept


def _value(annotation: Any, value: Any) -> Any:
    if isinstance(value, Mapping):
        nested = nested_class(annotation)
        if TARGET in value:
            return _content(import_class(str(value[TARGET])), value)
        if nested is not None:
            return _content(nested, value)
        return {key: _value(Any, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(Any, item) for item in value]
    options = alternatives(annotation)
    if isinstance(value, int) and not isinstance(value, bool) and float in options:
        return value if int in options else float(value)
    return value
