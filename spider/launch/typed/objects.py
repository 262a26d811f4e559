"""Builds typed objects from plain configuration: closed dataclasses, and variants by constructor.

The constructor is the schema: a mapping with ``_target_`` names a class, and its other keys have to
be arguments of that class. Unlike ``hydra.utils.instantiate``, only classes are called, every
value is checked against its annotation, and the error about an unknown key names the nearest known
one.
"""

import dataclasses
import difflib
import importlib
import inspect
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from spider.errors import ConfigError, SettingError, settings_within
from spider.launch.typed.schema import FILLED_BY_LAUNCHER, alternatives, annotations, parameters

MISSING = "???"
TARGET = "_target_"
INT64 = 1 << 63

Built = TypeVar("Built")


def build(cls: type[Built], values: Mapping[str, Any], *, where: str = "") -> Built:
    """Make an instance of a class from plain values, keyword by keyword.

    Args:
        cls: a dataclass or any class with an annotated, keyword-only constructor.
        values: its arguments, as yaml gives them.
        where: the path of these values in the configuration, for messages.

    Raises:
        ConfigError: an unknown key, a missing one, or a value of the wrong type.
    """
    known = parameters(cls)
    for key in values:
        if key not in known:
            paths = [_join(where, name) for name in known if name not in FILLED_BY_LAUNCHER]
            raise ConfigError(unknown_key(_join(where, str(key)), paths))
    hints = annotations(cls)
    arguments = {}
    for name, parameter in known.items():
        if name not in values:
            if parameter.default is inspect.Parameter.empty:
                key = _join(where, name)
                raise ConfigError(f"setting {key} must be given: {key}=VALUE")
            continue
        arguments[name] = convert(values[name], hints.get(name, Any), where=_join(where, name))
    try:
        with settings_within(where):
            return cls(**arguments)
    except SettingError:
        raise
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}" if where else str(error)) from error


def convert(value: Any, annotation: Any, *, where: str) -> Any:
    """Check a plain value against an annotation; a mapping with a target becomes an object.

    Raises:
        ConfigError: the value does not fit.
    """
    if isinstance(value, str) and value == MISSING:
        raise ConfigError(f"setting {where} must be given: {where}=VALUE")
    if isinstance(value, Mapping) and TARGET in value:
        built = build_target(value, where=where)
        _require_instance(built, value[TARGET], annotation, where)
        return built
    if annotation is Any:
        return _convert_any(value, where)
    origin = typing.get_origin(annotation)
    if origin in (Union, types.UnionType):
        return _convert_union(value, annotation, where)
    if origin is Literal:
        _require(value in typing.get_args(annotation), value, annotation, where)
        return value
    if origin is not None:
        return _convert_container(value, annotation, origin, where)
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        if not isinstance(value, Mapping):
            first = next(iter(parameters(annotation)))
            raise SettingError(where, value, f"settings such as {where}.{first}=VALUE")
        return build(annotation, value, where=where)
    return _convert_scalar(value, annotation, where)


def build_target(values: Mapping[str, Any], *, where: str) -> Any:
    """Call the class that ``_target_`` names with the other values.

    Raises:
        ConfigError: there is no such class, or the values do not fit its constructor.
    """
    cls = import_class(str(values[TARGET]), where=where)
    return build(cls, {k: v for k, v in values.items() if k != TARGET}, where=where)


def import_class(path: str, *, where: str = "") -> type[Any]:
    """Import a class by its dotted path.

    Raises:
        ConfigError: there is no class at that path.
    """
    module_name, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{_join(where, TARGET)}={path}: {error}") from error
    if not inspect.isclass(found):
        raise ConfigError(f"{_join(where, TARGET)}={path}: not a class")
    return found


def unknown_key(path: str, known: Iterable[str]) -> str:
    """Return the message about an unknown key, with the nearest known one.

    Args:
        path: the key as it was typed.
        known: keys that exist, by their full paths.
    """
    keys = sorted(known)
    # a setting may have been typed without its group: steps for training.steps
    last = {key.rpartition(".")[2]: key for key in reversed(keys)}
    near = [last[path]] if path in last else difflib.get_close_matches(path, keys, n=1, cutoff=0.6)
    if not near:
        near = [last[name] for name in difflib.get_close_matches(path, last, n=1, cutoff=0.6)]
    if near:
        return f"unknown setting {path}; did you mean {near[0]}?"
    return f"unknown setting {path}; known: {', '.join(keys) or 'none'}"


def _convert_any(value: Any, where: str) -> Any:
    if isinstance(value, Mapping):
        return {k: convert(v, Any, where=_join(where, str(k))) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [convert(v, Any, where=f"{where}[{i}]") for i, v in enumerate(value)]
    return value


def _convert_union(value: Any, annotation: Any, where: str) -> Any:
    options = typing.get_args(annotation)
    if value is None and type(None) in options:
        return None
    for option in options:
        if option is type(None):
            continue
        try:
            return convert(value, option, where=where)
        except ConfigError:
            if sum(o is not type(None) for o in options) == 1:
                raise
    raise ConfigError(_mismatch(value, annotation, where))


def _convert_container(value: Any, annotation: Any, origin: Any, where: str) -> Any:
    arguments = typing.get_args(annotation)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        _require(isinstance(value, Mapping), value, annotation, where)
        return {
            str(k): convert(v, arguments[1], where=_join(where, str(k))) for k, v in value.items()
        }
    if inspect.isclass(origin) and issubclass(origin, Sequence):
        # one value where several are allowed is a list of one
        items = [value] if isinstance(value, str | int | float | Mapping) else value
        _require(isinstance(items, list | tuple), value, annotation, where)
        converted = [
            convert(item, arguments[0], where=f"{where}[{number}]")
            for number, item in enumerate(items)
        ]
        return tuple(converted) if issubclass(origin, tuple) else converted
    return convert(value, origin, where=where)


def _convert_scalar(value: Any, annotation: Any, where: str) -> Any:
    if annotation is Path:
        # yaml reads a folder such as 2024 as a number
        named = isinstance(value, str | int | Path) and not isinstance(value, bool)
        _require(named and value != "", value, annotation, where)
        try:
            return Path(str(value)).expanduser()
        except RuntimeError as error:
            raise ConfigError(
                f"setting {where}: got {str(value)!r}, the home of a user who is not known here; a "
                f"folder of that name is ./{value}"
            ) from error
    if annotation in (float, int) and isinstance(value, int) and not -INT64 <= value < INT64:
        raise ConfigError(f"setting {where}: got {value}, expected an integer of 64 bits")
    if annotation is float:
        _require(
            isinstance(value, int | float) and not isinstance(value, bool), value, annotation, where
        )
        return float(value)
    if annotation is int:
        _require(isinstance(value, int) and not isinstance(value, bool), value, annotation, where)
        return value
    if annotation is str:
        # yaml reads a title such as 1984 as a number
        _require(isinstance(value, str | int) and not isinstance(value, bool), value, str, where)
        return str(value)
    if inspect.isclass(annotation) and not _is_protocol(annotation):
        _require(isinstance(value, annotation), value, annotation, where)
    elif isinstance(value, Mapping):
        raise ConfigError(
            f"setting {where}: no variant is chosen, so it has no settings; {where}=VARIANT "
            "chooses one"
        )
    elif _is_protocol(annotation) and isinstance(value, str | int | float | list | types.NoneType):
        raise SettingError(where, value, "a variant")
    return value


def _require_instance(built: Any, target: str, annotation: Any, where: str) -> None:
    options = alternatives(annotation)
    if Any in options:
        return
    classes = [option for option in options if inspect.isclass(option)]
    # mypy and the variant's test check whether an object fits a protocol
    if any(_is_protocol(option) for option in classes) or len(classes) != len(options):
        return
    _require(isinstance(built, tuple(classes)), target, annotation, where)


def _is_protocol(annotation: Any) -> bool:
    return bool(getattr(annotation, "_is_protocol", False))


def _require(fits: bool, value: Any, annotation: Any, where: str) -> None:
    if not fits:
        raise ConfigError(_mismatch(value, annotation, where))


def _mismatch(value: Any, annotation: Any, where: str) -> str:
    expected = " or ".join(map(_describe, alternatives(annotation)))
    return f"setting {where}: got {value!r}, expected {expected}"


def _describe(annotation: Any) -> str:
    if annotation is type(None):
        return "null"
    if typing.get_origin(annotation) is Literal:
        choices = ", ".join(map(repr, typing.get_args(annotation)))
        return f"one of {choices}" if "," in choices else choices
    if inspect.isclass(annotation) and typing.get_origin(annotation) is None:
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
