"""The record of a report: a list in JSON is a tuple here."""

import json

import pytest

from spider.artifacts.records.report import ReportRecord
from spider.errors import ArtifactError


@pytest.mark.parametrize("systems", [[], ["bm25"], ["bm25", "dense", "hybrid"]])
def test_round_trip(systems: list[str]) -> None:
    details = {"question_set": "held-out test", "systems": systems}
    record = ReportRecord.from_details(details, where="here")
    assert record.systems == tuple(systems)
    assert json.dumps(record.to_details()) == json.dumps(details)


@pytest.mark.parametrize("systems", ["bm25", [1], ["bm25", None], {"bm25": 1}, None])
def test_systems_are_a_list_of_names(systems: object) -> None:
    with pytest.raises(ArtifactError, match=r"^here: details\.systems: got .*tuple\[str, \.\.\.\]"):
        ReportRecord.from_details({"question_set": "x", "systems": systems}, where="here")


def test_the_question_set_has_a_name() -> None:
    with pytest.raises(ArtifactError, match=r"details\.question_set: got None, expected str"):
        ReportRecord.from_details({"question_set": None, "systems": []}, where="here")
    with pytest.raises(ArtifactError, match="details lack 'question_set'"):
        ReportRecord.from_details({"systems": []}, where="here")
