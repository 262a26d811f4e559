"""The schema of settings: names, types, defaults, roles and descriptions, read from constructors.

The constructor is the schema. Flags, help, error messages, and the defaults in a composed
configuration all come from here; a yaml file only overrides.
"""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, Union

from spider.settings import EXECUTION

REQUIRED: Final = object()
"""The default of a setting that has none."""
FILLED_BY_LAUNCHER = frozenset({"resolved", "given"})
"""Fields of a verb's settings that the launcher fills in."""


class Setting(NamedTuple):
    """One setting of a class.

    Attributes:
        name: the constructor's argument.
        annotation: its type, without the mark of its role.
        default: as yaml would write it, or ``REQUIRED``.
        description: from the docstring of the class.
        execution: whether it only decides how a run is done.
    """

    name: str
    annotation: Any
    default: Any
    description: str
    execution: bool


def settings_of(cls: type[Any]) -> Mapping[str, Setting]:
    """Return the settings of a dataclass or of a class with an annotated constructor."""
    described = _descriptions(cls)
    hints = annotations(cls, with_roles=True)
    found = {}
    for name, parameter in parameters(cls).items():
        if name in FILLED_BY_LAUNCHER:
            continue
        annotation, execution = _split_role(hints.get(name, Any))
        default = _default(cls, name, parameter)
        found[name] = Setting(name, annotation, default, described.get(name, ""), execution)
    return found


def default_values(cls: type[Any]) -> dict[str, Any]:
    """Return the defaults of a class as plain values; nested settings are mappings."""
    values = {}
    for setting in settings_of(cls).values():
        nested = nested_class(setting.annotation)
        if setting.default is not REQUIRED:
            values[setting.name] = setting.default
        elif nested is not None:
            values[setting.name] = default_values(nested)
    return values


def known_keys(cls: type[Any]) -> list[str]:
    """Return the settings of a class, those of nested settings by their path."""
    keys = []
    for setting in settings_of(cls).values():
        keys.append(setting.name)
        nested = nested_class(setting.annotation)
        if nested is not None:
            keys.extend(f"{setting.name}.{key}" for key in known_keys(nested))
    return keys


def find_setting(cls: type[Any], key: str) -> Setting | None:
    """Return the setting at a path, or None if there is no typed setting."""
    name, _, rest = key.partition(".")
    setting = settings_of(cls).get(name)
    if setting is None or not rest:
        return setting
    nested = nested_class(setting.annotation)
    return None if nested is None else find_setting(nested, rest)


def nested_class(annotation: Any) -> type[Any] | None:
    """Return the settings dataclass that an annotation names, alone or in a union with None."""
    for option in alternatives(annotation):
        if inspect.isclass(option) and dataclasses.is_dataclass(option):
            return option
    return None


def takes_text(annotation: Any) -> bool:
    """Return whether values of a type are text or paths, or lists of these."""
    if annotation in (str, Path):
        return True
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return all(isinstance(option, str) for option in typing.get_args(annotation))
    if origin in (Union, types.UnionType, list, tuple):
        return any(takes_text(option) for option in typing.get_args(annotation))
    return False


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union; another annotation is its only member."""
    union = typing.get_origin(annotation) in (Union, types.UnionType)
    return typing.get_args(annotation) if union else (annotation,)


def configuration_class(main: Any) -> type[Any]:
    """Return the settings dataclass that a verb's ``main`` takes."""
    hints = typing.get_type_hints(main)
    hints.pop("return", None)
    cls: type[Any] = next(iter(hints.values()))
    return cls


def parameters(cls: type[Any]) -> dict[str, inspect.Parameter]:
    """Return the named arguments of a constructor."""
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.signature(cls)
    return {name: p for name, p in signature.parameters.items() if p.kind in kinds}


def annotations(cls: type[Any], *, with_roles: bool = False) -> dict[str, Any]:
    """Return the types of a constructor's arguments."""
    owner = cls if dataclasses.is_dataclass(cls) else cls.__init__
    return typing.get_type_hints(owner, include_extras=with_roles)


def _split_role(annotation: Any) -> tuple[Any, bool]:
    if typing.get_origin(annotation) is Annotated:
        inner, *marks = typing.get_args(annotation)
        return inner, EXECUTION in marks
    return annotation, False


def _default(cls: type[Any], name: str, parameter: inspect.Parameter) -> Any:
    if dataclasses.is_dataclass(cls):
        field = next(field for field in dataclasses.fields(cls) if field.name == name)
        if field.default_factory is not dataclasses.MISSING:
            return _plain(field.default_factory())
    if parameter.default is inspect.Parameter.empty:
        return REQUIRED
    return _plain(parameter.default)


def _plain(value: Any) -> Any:
    """Write a default as yaml would."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (field.name for field in dataclasses.fields(value) if field.init)
        return {name: _plain(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _descriptions(cls: type[Any]) -> dict[str, str]:
    """Read the ``Attributes:`` and ``Args:`` sections of a class and of what it inherits."""
    found: dict[str, str] = {}
    for parent in reversed(cls.__mro__):
        text = inspect.cleandoc(parent.__dict__.get("__doc__") or "")
        name = ""
        for section in re.findall(r"(?ms)^(?:Attributes|Args):\n(.*?)(?=^\S|\Z)", text):
            for line in section.splitlines():
                match = re.match(r"^    (\w+): (.*)$", line)
                if match:
                    name = match[1]
                    found[name] = match[2].strip()
                elif name and line.startswith("        "):
                    found[name] += " " + line.strip()
    return found
