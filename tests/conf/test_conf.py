"""Every yaml in conf/ composes, every target is imported, every key fits a constructor."""

import dataclasses
import importlib
import inspect
import typing
from pathlib import Path
from typing import Any

import pytest
import yaml

from spider.launch.composition import compose_verb, plain
from spider.launch.entrypoint import GIVEN, RESOLVED, configuration_class
from spider.launch.typed import TARGET, import_class
from spider.launch.verbs import FOLDER, MODULE, POSITIONALS, module_of, positionals_of, verbs

GROUP_FILES = sorted(FOLDER.glob("*/*.yaml"))
#: groups whose yaml is an overlay or a list of stages, not one variant
OVERLAYS = {"experiment", "pipeline"}


def targets(value: Any, where: str = "") -> list[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        own = [(where, value)] if TARGET in value else []
        return own + [pair for k, v in value.items() for pair in targets(v, f"{where}.{k}")]
    if isinstance(value, list):
        return [pair for i, v in enumerate(value) for pair in targets(v, f"{where}[{i}]")]
    return []


def assert_fits(values: dict[str, Any]) -> None:
    cls = import_class(values[TARGET])
    parameters = inspect.signature(cls).parameters
    keys = set(values) - {TARGET}
    assert keys <= set(parameters), f"{values[TARGET]}: {keys - set(parameters)}"
    required = {n for n, p in parameters.items() if p.default is inspect.Parameter.empty}
    assert required <= keys, f"{values[TARGET]} lacks {required - keys}"
    if not dataclasses.is_dataclass(cls):
        kinds = {p.kind for p in parameters.values()}
        assert kinds <= {inspect.Parameter.KEYWORD_ONLY}, f"{values[TARGET]}: keyword-only"
        assert set(typing.get_type_hints(cls.__init__)) >= set(parameters), values[TARGET]


@pytest.mark.parametrize("path", GROUP_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_variant_names_a_class_and_its_arguments(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# "), "the first line is the variant's summary"
    values = yaml.safe_load(text)
    if path.parent.name not in OVERLAYS:
        assert TARGET in values
        # a variant within the variant is filled in by its own group
        for entry in values.pop("defaults", []):
            if entry != "_self_":
                values[next(iter(entry)).split("@")[1]] = {}
    for _, found in targets(values):
        assert_fits(found)


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_verb_composes_and_fits_its_dataclass(verb: str) -> None:
    assert verbs()[verb], "the first line of the yaml is the verb's summary"
    main = importlib.import_module(module_of(verb)).main
    cls = configuration_class(main)
    values = plain(compose_verb(verb, []))
    for name in (MODULE, POSITIONALS):
        values.pop(name, None)
    fields = {field.name for field in dataclasses.fields(cls)}
    if "workspace" not in fields:
        values.pop("workspace", None)
    assert set(values) <= fields, f"{verb}: {set(values) - fields} are no fields"
    required = {
        f.name
        for f in dataclasses.fields(cls)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    }
    assert required <= set(values), f"{verb}: {required - set(values)} have no value in the yaml"
    assert {name.split(".")[0] for name in positionals_of(verb)} <= fields
    for _, found in targets(values):
        assert_fits(found)


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_setting_is_described(verb: str) -> None:
    from spider.launch.help_text import _attributes, verb_help

    cls = configuration_class(importlib.import_module(module_of(verb)).main)
    named = {field.name for field in dataclasses.fields(cls)} - {RESOLVED, GIVEN}
    assert named <= set(_attributes(cls)), f"{cls.__name__}: {named - set(_attributes(cls))}"
    assert verb in verb_help(verb, cls)
