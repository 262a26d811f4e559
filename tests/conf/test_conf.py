"""Every yaml in conf/ composes, names a class that exists, and only overrides defaults."""

import dataclasses
import inspect
import json
import re
import typing
from pathlib import Path
from typing import Any

import pytest
import yaml

from spider.launch.completion import DEFAULTS
from spider.launch.composition import compose_verb, compose_with_choices, plain
from spider.launch.help_text import verb_help
from spider.launch.typed.objects import TARGET, import_class
from spider.launch.typed.schema import (
    REQUIRED,
    alternatives,
    annotations,
    default_values,
    nested_class,
    settings_of,
)
from spider.launch.verbs import FOLDER, MODULE, positionals_of, settings_class, verbs
from spider.settings import EXECUTION

GROUP_FILES = sorted(FOLDER.glob("*/*.yaml"))
OVERLAYS = {"experiment", "pipeline"}
"""Groups whose yaml is an overlay or a list of stages, not one variant."""


def targets(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [value] if TARGET in value else []
        return own + [found for item in value.values() for found in targets(item)]
    return [found for item in value for found in targets(item)] if isinstance(value, list) else []


def variant_classes() -> list[type[Any]]:
    found = []
    for path in GROUP_FILES:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        found += [import_class(target[TARGET]) for target in targets(values)]
    return sorted(set(found), key=lambda cls: (cls.__module__, cls.__name__))


def settings_classes() -> list[type[Any]]:
    """Return every class whose settings a person can type."""
    waiting, found = [*map(settings_class, sorted(verbs())), *variant_classes()], []
    while waiting:
        cls = waiting.pop(0)
        if cls not in found:
            found.append(cls)
            nested = (nested_class(setting.annotation) for setting in settings_of(cls).values())
            waiting += [cls for cls in nested if cls is not None]
    return found


def assert_fits(values: dict[str, Any]) -> None:
    settings = settings_of(import_class(values[TARGET]))
    keys = set(values) - {TARGET}
    assert keys <= set(settings), f"{values[TARGET]}: {keys - set(settings)}"


@pytest.mark.parametrize("path", GROUP_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_variant_names_a_class_and_its_arguments(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# "), "the first line is the variant's summary"
    values = yaml.safe_load(text)
    values.pop(DEFAULTS, None)
    if path.parent.name not in OVERLAYS:
        assert TARGET in values
    for found in targets(values):
        assert_fits(found)


@pytest.mark.parametrize("path", GROUP_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_yaml_repeats_no_default_of_a_constructor(path: Path) -> None:
    for values in targets(yaml.safe_load(path.read_text(encoding="utf-8"))):
        settings = settings_of(import_class(values[TARGET]))
        repeated = [
            key
            for key, value in values.items()
            if key in settings and value == settings[key].default and value is not False
        ]
        assert not repeated, f"{path}: {repeated} are the constructor's defaults already"


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_a_verbs_yaml_repeats_no_default(verb: str) -> None:
    def repeated(values: dict[str, Any], cls: type[Any]) -> list[str]:
        found = []
        for key, value in values.items():
            setting = settings_of(cls).get(key)
            nested = None if setting is None else nested_class(setting.annotation)
            if nested is not None and isinstance(value, dict):
                found += repeated(value, nested)
            elif setting is not None and value == setting.default:
                found.append(key)
        return found

    values = yaml.safe_load((FOLDER / f"{verb}.yaml").read_text(encoding="utf-8"))
    assert not repeated(values, settings_class(verb))


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_verb_composes_and_fits_its_settings(verb: str) -> None:
    assert verbs()[verb], "the first line of the yaml is the verb's summary"
    cls = settings_class(verb)
    settings = settings_of(cls)
    values = plain(compose_verb(verb, []))
    del values[MODULE]
    assert set(values) <= set(settings), f"{verb}: {set(values) - set(settings)} are no settings"
    required = {name for name, setting in settings.items() if setting.default is REQUIRED}
    open_ones = required - set(values) - {"model"}
    assert not open_ones, f"{verb}: {open_ones} have no value in the yaml"
    assert {name.split(".")[0] for name in positionals_of(cls)} <= set(settings)
    for found in targets(values):
        assert_fits(found)


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_help_shows_every_setting_with_its_description(verb: str) -> None:
    cls = settings_class(verb)
    config, choices = compose_with_choices(verb, [])
    text = verb_help(verb, cls, config, choices)
    for name, setting in settings_of(cls).items():
        if nested_class(setting.annotation) is None:
            assert re.search(rf"\n  (\w+@)?{name}(\.\w+)?=", text)
            assert setting.description.replace("``", "") in text
    for key, variant in choices.items():
        assert f"{key}={variant or 'null'}\n" in text or key == "experiment"
        assert f"\n{key}= one of" in text
    assert max(map(len, text.splitlines())) < 300


@pytest.mark.parametrize("cls", settings_classes(), ids=lambda cls: cls.__name__)
def test_settings_are_typed_described_and_plain(cls: type[Any]) -> None:
    settings = settings_of(cls)
    lacking = [name for name, setting in settings.items() if not setting.description]
    assert not lacking, f"{cls.__name__}: {lacking}"
    json.dumps(default_values(cls))
    if not dataclasses.is_dataclass(cls):
        parameters = inspect.signature(cls).parameters
        assert {p.kind for p in parameters.values()} <= {inspect.Parameter.KEYWORD_ONLY}
        assert set(annotations(cls)) >= set(parameters)


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_paths_of_verbs_are_marked_as_execution(verb: str) -> None:
    """Where something lies is no part of what is made of it."""
    cls = settings_class(verb)
    if "resolved" not in inspect.signature(cls).parameters:
        return
    for name, hint in annotations(cls, with_roles=True).items():
        marked = EXECUTION in getattr(hint, "__metadata__", ())
        inner = typing.get_args(hint)[0] if marked else hint
        if any(_is_path(option) for option in alternatives(inner)):
            assert marked, f"{cls.__name__}.{name}: mark a path with Execution[...]"


def _is_path(annotation: Any) -> bool:
    return annotation is Path or any(map(_is_path, typing.get_args(annotation)))
