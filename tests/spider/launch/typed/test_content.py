"""``content``: which settings of every verb and variant decide what is made.

For each setting that a person can type, two values of its type are tried. A setting that is marked
as execution must leave the content as it was; every other one must change it.
"""

import importlib
import itertools
import json
import sys
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from spider.launch.composition import compose_verb, plain
from spider.launch.typed.content import content
from spider.launch.typed.objects import TARGET, import_class
from spider.launch.typed.schema import alternatives, nested_class, settings_of
from spider.launch.verbs import FOLDER, MODULE, settings_class, verbs
from spider.settings import Execution


class Part:
    def __init__(self, *, k1: float = 0.9, threads: Execution[int] = 2):
        self.k1, self.threads = k1, threads


@dataclass(frozen=True, kw_only=True)
class Inner:
    steps: int = 1
    device: Execution[str] = "cpu"


@dataclass(frozen=True, kw_only=True)
class Outer:
    rate: float = 1.0
    whole: int | float = 1
    inner: Inner = field(default_factory=Inner)
    maybe: Inner | None = None
    hidden: Execution[Inner] = field(default_factory=Inner)
    part: Any = None
    parts: dict[str, Any] = field(default_factory=dict)
    listed: tuple[Any, ...] = ()


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> str:
    # under importlib mode a test module is importable by its own name only through sys.modules
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Part.__module__])
    return f"{__name__}.Part"


def test_marked_settings_are_left_out_at_every_depth(part: str) -> None:
    values = {
        "inner": {"steps": 2, "device": "cuda"},
        "maybe": {"steps": 3, "device": "cuda"},
        "hidden": {"steps": 4},
        "part": {TARGET: part, "k1": 2.0, "threads": 3},
        "parts": {"one": {TARGET: part, "threads": 4}, "two": {TARGET: part, "k1": 1.0}},
        "listed": [{TARGET: part, "threads": 5}, [{TARGET: part, "threads": 6}]],
        "unknown": 1,
    }
    assert content(Outer, values) == {
        "inner": {"steps": 2},
        "maybe": {"steps": 3},
        "part": {TARGET: part, "k1": 2.0},
        "parts": {"one": {TARGET: part}, "two": {TARGET: part, "k1": 1.0}},
        "listed": [{TARGET: part}, [{TARGET: part}]],
    }


def test_a_whole_number_given_for_a_float_is_the_same_content(part: str) -> None:
    def text(values: dict[str, Any]) -> str:
        return json.dumps(content(Outer, values))

    assert text({"rate": 2}) == text({"rate": 2.0}) == '{"rate": 2.0}'
    assert text({"part": {TARGET: part, "k1": 1}}) == text({"part": {TARGET: part, "k1": 1.0}})
    # where both are allowed they are different values
    assert text({"whole": 2}) != text({"whole": 2.0})
    assert text({"rate": True}) == '{"rate": true}'


def test_content_is_json_and_shares_nothing_with_the_values() -> None:
    values: dict[str, Any] = {"parts": {"a": {"deep": [1]}}, "listed": (1, 2)}
    found = content(Outer, values)
    assert found["listed"] == [1, 2]
    found["parts"]["a"]["deep"].append(2)
    assert values["parts"]["a"]["deep"] == [1]


def two_values(annotation: Any) -> tuple[Any, Any]:
    """Return two plain values of a type, as yaml would write them."""
    options = [option for option in alternatives(annotation) if option is not type(None)]
    option = options[0]
    if typing.get_origin(option) is Literal:
        found = typing.get_args(option)[:2]
        return (found[0], found[-1]) if len(found) > 1 else (found[0], None)
    origin = typing.get_origin(option)
    if origin in (tuple, list):
        first, second = two_values(typing.get_args(option)[0])
        return [first], [first, second]
    by_type = {
        int: (3, 4),
        float: (0.25, 0.75),
        bool: (False, True),
        str: ("one", "two"),
        Path: ("a/one", "b/two"),
    }
    if option in by_type:
        return by_type[option]
    # a mapping, another variant, or anything
    return {"key": 1}, {"key": 2}


def leaves(cls: type[Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any, bool]]:
    """Return path, type and role of each setting of a class, those of nested settings included."""
    found = []
    for setting in settings_of(cls).values():
        nested = nested_class(setting.annotation)
        here = (*path, setting.name)
        if nested is None:
            found.append((here, setting.annotation, setting.execution))
        else:
            below = leaves(nested, here)
            found += [(at, kind, marked or setting.execution) for at, kind, marked in below]
    return found


def nest(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return typing.cast(dict[str, Any], value)


VERB_LEAVES = [(verb, *leaf) for verb in sorted(verbs()) for leaf in leaves(settings_class(verb))]


@pytest.mark.parametrize(
    ("verb", "path", "annotation", "execution"),
    VERB_LEAVES,
    ids=[f"{verb}-{'.'.join(path)}" for verb, path, *_ in VERB_LEAVES],
)
def test_a_verbs_setting_counts_unless_it_is_marked(
    verb: str, path: tuple[str, ...], annotation: Any, execution: bool
) -> None:
    cls = settings_class(verb)
    first, second = (content(cls, nest(path, value)) for value in two_values(annotation))
    assert (first == second) == execution


def variants() -> list[tuple[str, str]]:
    found = set()
    for path in FOLDER.glob("*/*.yaml"):
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        if TARGET in values:
            found.add((path.parent.name, values[TARGET]))
    return sorted(found)


VARIANT_LEAVES = [
    (group, target, *leaf) for group, target in variants() for leaf in leaves(import_class(target))
]


@pytest.mark.parametrize(
    ("group", "target", "path", "annotation", "execution"),
    VARIANT_LEAVES,
    ids=[f"{target.rpartition('.')[2]}-{'.'.join(at)}" for _, target, at, *_ in VARIANT_LEAVES],
)
def test_a_variants_setting_counts_unless_it_is_marked(
    group: str, target: str, path: tuple[str, ...], annotation: Any, execution: bool
) -> None:
    def found(value: Any) -> dict[str, Any]:
        return content(Outer, {"part": {TARGET: target, **nest(path, value)}})

    first, second = map(found, two_values(annotation))
    assert (first == second) == execution


@pytest.mark.parametrize(("group", "target"), variants())
def test_which_variant_is_chosen_counts(group: str, target: str) -> None:
    assert content(Outer, {"part": {TARGET: target}}) == {"part": {TARGET: target}}
    module = importlib.import_module(target.rpartition(".")[0])
    assert module.__name__ in target


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_the_content_of_a_composed_verb_names_no_place(verb: str) -> None:
    """Artifacts made in two folders from the same settings have the same content."""
    cls = settings_class(verb)
    if "resolved" not in cls.__dataclass_fields__:
        return

    def made_in(workspace: str) -> dict[str, Any]:
        values = plain(compose_verb(verb, [f"workspace={workspace}"]))
        del values[MODULE]
        return content(cls, values)

    assert made_in("here/one") == made_in("there/two")
    assert "here" not in json.dumps(made_in("here"))


def test_the_two_values_of_every_type_differ() -> None:
    """Otherwise the tests above could not fail."""
    kinds = [leaf[-2] for leaf in itertools.chain(VERB_LEAVES, VARIANT_LEAVES)]
    assert all(first != second for first, second in map(two_values, kinds))
    assert {True, False} == {leaf[-1] for leaf in VERB_LEAVES}
