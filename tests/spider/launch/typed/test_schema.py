"""The schema of settings, read from constructors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Optional, Union

import pytest

from spider.launch.typed.schema import (
    FILLED_BY_LAUNCHER,
    REQUIRED,
    alternatives,
    annotations,
    configuration_class,
    default_values,
    find_setting,
    known_keys,
    nested_class,
    parameters,
    settings_of,
    takes_text,
)
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class Deepest:
    """The deepest.

    Attributes:
        rate: a rate.
    """

    rate: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Nested:
    """Nested.

    Attributes:
        steps: how many steps,
            and a second line.
        deepest: more.
    """

    steps: int
    deepest: Deepest = field(default_factory=Deepest)


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A parent.

    Attributes:
        place: described by the parent.
        name: described by the parent.
    """

    positionals: ClassVar = ("place",)

    place: Execution[Path] = Path("a/b")
    name: str = "n"


@dataclass(frozen=True, kw_only=True)
class Child(Parent):
    """A child.

    Attributes:
        name: described by the child.

    Not a setting:
        name: in another section.
    """

    nested: Nested
    maybe: Deepest | None = None
    resolved: dict[str, Any] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    many: tuple[Path, ...] = (Path("x"), Path("y"))
    table: Mapping[str, Any] = field(default_factory=lambda: {"p": Path("q"), "r": (1, 2)})
    undescribed: int = 3


class Variant:
    """A variant.

    Args:
        k1: of BM25.
        depth: how deep.
    """

    def __init__(self, *args: int, k1: float = 0.9, depth: Execution[int], **rest: str):
        pass


def test_a_setting_carries_all_that_its_field_says() -> None:
    settings = settings_of(Child)
    assert settings["place"] == ("place", Path, "a/b", "described by the parent.", True)
    assert settings["name"] == ("name", str, "n", "described by the child.", False)
    assert settings["undescribed"].description == ""
    assert settings["nested"].default is REQUIRED
    assert settings_of(Nested)["steps"].description == "how many steps, and a second line."


def test_settings_come_in_the_order_of_the_constructor_without_the_launchers() -> None:
    assert list(settings_of(Child)) == [
        name for name in parameters(Child) if name not in FILLED_BY_LAUNCHER
    ]
    assert list(settings_of(Child))[:2] == ["place", "name"]


def test_a_class_is_read_as_a_dataclass_is() -> None:
    settings = settings_of(Variant)
    assert list(settings) == ["k1", "depth"]
    assert settings["k1"] == ("k1", float, 0.9, "of BM25.", False)
    assert settings["depth"] == ("depth", int, REQUIRED, "how deep.", True)


def test_defaults_are_plain_values_and_nested_settings_are_mappings() -> None:
    assert default_values(Child) == {
        "place": "a/b",
        "name": "n",
        # what has no default stays open; what is nested within it does not
        "nested": {"deepest": {"rate": 0.5}},
        "maybe": None,
        "many": ["x", "y"],
        "table": {"p": "q", "r": [1, 2]},
        "undescribed": 3,
    }
    assert default_values(Variant) == {"k1": 0.9}


def test_two_calls_share_no_default() -> None:
    default_values(Child)["table"]["p"] = "changed"
    assert default_values(Child)["table"]["p"] == "q"


def test_keys_of_nested_settings_are_paths() -> None:
    nested = ["nested", "nested.steps", "nested.deepest", "nested.deepest.rate"]
    assert [key for key in known_keys(Child) if key.startswith("nested")] == nested
    assert "maybe.rate" in known_keys(Child)
    assert "resolved" not in known_keys(Child)


@pytest.mark.parametrize("key", known_keys(Child))
def test_each_known_key_leads_to_a_setting(key: str) -> None:
    setting = find_setting(Child, key)
    assert setting is not None
    assert setting.name == key.rpartition(".")[2]


@pytest.mark.parametrize(
    "key", ["", ".", "nope", "nested.nope", "name.more", "resolved", "nested.steps.x"]
)
def test_other_keys_lead_nowhere(key: str) -> None:
    assert find_setting(Child, key) is None


@pytest.mark.parametrize(
    ("annotation", "found"),
    [
        (Nested, Nested),
        (Nested | None, Nested),
        (Optional[Nested], Nested),  # noqa: UP045
        (Union[int, Nested], Nested),  # noqa: UP007
        (int, None),
        (dict[str, Nested], None),
        (tuple[Nested, ...], None),
        (Variant, None),
        (Any, None),
    ],
)
def test_nested_settings_are_dataclasses_alone_or_beside_none(
    annotation: Any, found: type | None
) -> None:
    assert nested_class(annotation) is found


@pytest.mark.parametrize(
    "annotation",
    [str, Path, str | None, Path | None, tuple[Path, ...], list[str], Literal["a", "b"], int | str],
)
def test_text_is_taken(annotation: Any) -> None:
    assert takes_text(annotation)


@pytest.mark.parametrize(
    "annotation",
    [int, float, bool, int | None, tuple[int, ...], Literal["auto", True], Nested, Any, dict],
)
def test_text_is_not_taken(annotation: Any) -> None:
    assert not takes_text(annotation)


def test_alternatives_are_those_of_either_spelling_of_a_union() -> None:
    assert alternatives(int | None) == (int, type(None))
    assert alternatives(Union[int, str]) == (int, str)  # noqa: UP007
    assert alternatives(Sequence[int]) == (Sequence[int],)


def test_a_verbs_settings_class_is_the_annotation_of_its_one_parameter() -> None:
    def main(settings: Child) -> None: ...

    assert configuration_class(main) is Child


def test_annotations_hide_roles_unless_asked() -> None:
    assert annotations(Child)["place"] is Path
    assert annotations(Child, with_roles=True)["place"] == Execution[Path]
