"""The record of a run: the rankings of one question set."""

import json
from typing import Any

import pytest

from spider.artifacts.records.run import RunRecord
from spider.errors import ArtifactError

DETAILS: dict[str, Any] = {
    "systems": ["bm25", "dense"],
    "label": "",
    "depth": 100,
    "questions": "nq",
    "fusion": None,
    "note": "",
}


@pytest.mark.parametrize(
    "change", [{}, {"fusion": {"variant": "weighted_sum", "weight": 0.5}}, {"label": "untrained"}]
)
def test_round_trip(change: dict[str, Any]) -> None:
    details = {**DETAILS, **change}
    record = RunRecord.from_details(details, where="here")
    assert json.dumps(record.to_details()) == json.dumps(details)
    assert RunRecord.from_details(record.to_details(), where="here") == record


@pytest.mark.parametrize("name", DETAILS)
def test_every_entry_is_required_null_ones_too(name: str) -> None:
    details = {key: value for key, value in DETAILS.items() if key != name}
    with pytest.raises(ArtifactError, match=f"details lack '{name}'"):
        RunRecord.from_details(details, where="here")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("systems", "bm25"),
        ("systems", [["bm25"]]),
        ("label", None),
        ("depth", "100"),
        ("depth", 1.5),
        ("questions", 7),
        ("fusion", "weighted_sum"),
        ("note", False),
    ],
)
def test_a_wrong_type_is_named(name: str, value: object) -> None:
    with pytest.raises(ArtifactError) as caught:
        RunRecord.from_details({**DETAILS, name: value}, where="w/run")
    assert str(caught.value).startswith(f"w/run: details.{name}: got {value!r}, expected ")
    assert caught.value.exit_code == 5
