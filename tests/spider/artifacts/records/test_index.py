"""The record of an index: each part may be missing, and then says so with null."""

import json
from typing import Any

import pytest

from spider.artifacts.records.index import EncoderReference, IndexRecord
from spider.errors import ArtifactError

WORDS_ALONE: dict[str, Any] = {
    "passages": 3,
    "encoder": None,
    "dense": None,
    "sparse": {"variant": "bm25s", "k1": 0.9},
    "fusion": None,
}
BOTH: dict[str, Any] = {
    **WORDS_ALONE,
    "encoder": {"content_hash": "ab", "variant": "static"},
    "dense": {"variant": "exact", "passages": 3},
    "fusion": {"variant": "weighted_sum", "weight": 0.5, "deep": {"list": [1, 2]}},
}


@pytest.mark.parametrize("details", [WORDS_ALONE, BOTH])
def test_round_trip(details: dict[str, Any]) -> None:
    record = IndexRecord.from_details(details, where="here")
    assert json.dumps(record.to_details()) == json.dumps(details)


def test_the_encoder_is_a_reference() -> None:
    record = IndexRecord.from_details(BOTH, where="here")
    assert record.encoder == EncoderReference(content_hash="ab", variant="static")
    assert IndexRecord.from_details(WORDS_ALONE, where="here").encoder is None


@pytest.mark.parametrize("name", WORDS_ALONE)
def test_a_missing_part_is_null_and_not_left_out(name: str) -> None:
    details = {key: value for key, value in WORDS_ALONE.items() if key != name}
    with pytest.raises(ArtifactError, match=f"details lack '{name}'"):
        IndexRecord.from_details(details, where="here")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"passages": None}, "passages"),
        ({"passages": False}, "passages"),
        ({"dense": "exact"}, "dense"),
        ({"sparse": ["bm25s"]}, "sparse"),
        ({"encoder": "static"}, "encoder"),
        ({"encoder": {"content_hash": 7, "variant": "x"}}, "encoder.content_hash"),
        ({"encoder": {"content_hash": "7", "variant": None}}, "encoder.variant"),
    ],
)
def test_a_wrong_type_is_named_by_its_path(change: dict[str, Any], path: str) -> None:
    with pytest.raises(ArtifactError, match=rf"^w/index: details\.{path}: got "):
        IndexRecord.from_details({**BOTH, **change}, where="w/index")
