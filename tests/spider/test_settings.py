"""The mark of a setting's role survives typing's forms, and does not change its type."""

import typing
from pathlib import Path
from typing import Annotated

import pytest

from spider.launch.typed.schema import settings_of
from spider.settings import EXECUTION, Execution


class Marked:
    def __init__(
        self,
        *,
        device: Execution[str] = "cpu",
        place: Execution[Path | None] = None,
        places: Execution[tuple[Path, ...]] = (),
        steps: int = 1,
        noted: Annotated[int, "another note"] = 2,
        both: Annotated[int, "another note", EXECUTION] = 3,
    ):
        pass


def test_a_marked_annotation_is_the_type_with_the_mark() -> None:
    assert typing.get_origin(Execution[int]) is Annotated
    assert typing.get_args(Execution[int]) == (int, EXECUTION)


@pytest.mark.parametrize(
    ("name", "annotation", "execution"),
    [
        ("device", str, True),
        ("place", Path | None, True),
        ("places", tuple[Path, ...], True),
        ("steps", int, False),
        ("noted", int, False),
        ("both", int, True),
    ],
)
def test_only_the_mark_makes_a_setting_execution(
    name: str, annotation: object, execution: bool
) -> None:
    setting = settings_of(Marked)[name]
    assert setting.annotation == annotation
    assert setting.execution is execution


def test_a_mark_is_no_hint_for_code_that_does_not_ask_for_it() -> None:
    assert typing.get_type_hints(Marked.__init__)["device"] is str
