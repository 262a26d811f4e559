"""Details records: what is read, what is refused, and in which words."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from spider.artifacts.artifact import Artifact
from spider.artifacts.record import DetailsRecord
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError


@dataclass(frozen=True, kw_only=True)
class Inner(DetailsRecord):
    length: int


@dataclass(frozen=True, kw_only=True)
class Outer(DetailsRecord):
    KIND: ClassVar[str] = "outer"

    count: int
    share: float
    exact: bool
    scale: Literal["unit", "raw"]
    names: tuple[str, ...]
    inner: Inner | None
    settings: Mapping[str, Any]
    note: str | None = None


WHOLE: dict[str, Any] = {
    "count": 3,
    "share": 1,
    "exact": True,
    "scale": "unit",
    "names": ["a", "b"],
    "inner": {"length": 2},
    "settings": {"deep": {"x": [1, None]}},
}


def read(**changes: Any) -> Outer:
    return Outer.from_details({**WHOLE, **changes}, where="folder")


def test_a_whole_record_is_read_and_written_back() -> None:
    record = read()
    assert record.names == ("a", "b")
    assert record.inner == Inner(length=2)
    assert record.to_details() == WHOLE
    assert read(inner=None, note="x").to_details() == {**WHOLE, "inner": None, "note": "x"}
    with pytest.raises(FrozenInstanceError):
        record.count = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("count", 3.0, "int"),
        ("count", True, "int"),
        ("count", None, "int"),
        ("count", "3", "int"),
        ("share", "1", "float"),
        ("share", False, "float"),
        ("exact", 1, "bool"),
        ("scale", "metres", "Literal['unit', 'raw']"),
        ("names", "ab", "tuple[str, ...]"),
        ("names", ["a", 1], "tuple[str, ...]"),
        ("settings", [], "Mapping[str, Any]"),
        ("note", 5, "str | None"),
    ],
)
def test_another_type_is_refused(name: str, value: object, expected: str) -> None:
    with pytest.raises(ArtifactError) as caught:
        read(**{name: value})
    assert str(caught.value) == (
        f"folder: details.{name}: got {value!r}, expected {expected}; make the artifact again"
    )


def test_missing_and_unknown_entries_are_refused() -> None:
    less = {name: value for name, value in WHOLE.items() if name != "count"}
    with pytest.raises(ArtifactError, match="folder: details lack 'count'; make the artifact"):
        Outer.from_details(less, where="folder")
    with pytest.raises(ArtifactError, match=r"details hold unknown entries \['colour', 'size'\]"):
        read(size=1, colour=2)


def test_an_entry_of_an_inner_record_is_named_by_its_path() -> None:
    with pytest.raises(ArtifactError, match=r"folder: details\.inner\.length: got 'x'"):
        read(inner={"length": "x"})
    with pytest.raises(ArtifactError, match=r"folder: details\.inner: got 7"):
        read(inner=7)


def artifact(folder: Path, kind: str) -> Artifact:
    stage = Stage(verb="make", kind=kind, output=folder, config={}, inputs={})
    with stage.writing():
        return stage.finish(counts={}, details=read())


def test_a_stage_writes_a_record_and_an_artifact_gives_it_back(tmp_path: Path) -> None:
    made = artifact(tmp_path / "made", "outer")
    assert made.details == WHOLE
    assert Outer.from_manifest(made) == read()


def test_an_artifact_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="this is a corpus artifact, expected a outer"):
        Outer.from_manifest(artifact(tmp_path / "made", "corpus"))
