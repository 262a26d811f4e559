"""The record of an encoder, with the records within it."""

import json
from typing import Any

import pytest

from spider.artifacts.records.encoder import EncoderRecord, EncoderTrainingRecord, MaximumLength
from spider.errors import ArtifactError

DETAILS: dict[str, Any] = {
    "dimension": 768,
    "similarity": "dot",
    "score_scale": "unit",
    "score_multiplier": 20.0,
    "pooling": "cls",
    "max_length": {"question": 32, "passage": 256},
    "casing": "lower",
    "passage_template": "title [SEP] text",
    "training": {"pairs": {"title": 3}, "batch_size": 8, "steps": 5, "validation": {"loss": 1.5}},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the details with the entry at a path replaced."""
    details: dict[str, Any] = json.loads(json.dumps(DETAILS))
    *groups, name = path.split(".")
    place = details
    for group in groups:
        place = place[group]
    place[name] = value
    return details


def read(details: dict[str, Any]) -> EncoderRecord:
    return EncoderRecord.from_details(details, where="here")


def test_records_within_are_read_as_records() -> None:
    record = read(DETAILS)
    assert record.max_length == MaximumLength(question=32, passage=256)
    assert record.training == EncoderTrainingRecord(
        pairs={"title": 3}, batch_size=8, steps=5, validation={"loss": 1.5}
    )
    assert json.dumps(record.to_details()) == json.dumps(DETAILS)


def test_no_maximum_is_written_and_no_training_is_left_out() -> None:
    record = read({**DETAILS, "max_length": None, "training": None})
    details = record.to_details()
    assert details["max_length"] is None
    assert "training" not in details
    assert read(details) == record


@pytest.mark.parametrize("scale", ["unit", "raw"])
def test_both_scales_of_scores_are_known(scale: str) -> None:
    assert read({**DETAILS, "score_scale": scale}).score_scale == scale


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("score_scale", "cosine", "Literal['unit', 'raw']"),
        ("score_multiplier", "20", "float"),
        ("max_length", 512, "an object"),
        ("max_length.question", "32", "int"),
        ("max_length.question", None, "int"),
        ("training", [], "an object"),
        ("training.steps", 1.5, "int"),
        ("training.pairs", 3, "Mapping"),
        ("training.validation", None, "Mapping"),
    ],
)
def test_a_wrong_type_is_named_by_its_path(path: str, value: object, expected: str) -> None:
    with pytest.raises(ArtifactError) as caught:
        read(changed(path, value))
    message = str(caught.value)
    assert f"details.{path}: got {value!r}, expected " in message
    # a record that may be null is described by its class
    assert expected in message or "Record" in message or "MaximumLength" in message
    assert "\n" not in message


@pytest.mark.parametrize("path", ["max_length.passage", "training.steps", "dimension"])
def test_a_missing_entry_is_named(path: str) -> None:
    details = changed(path, None)
    *groups, name = path.split(".")
    place = details
    for group in groups:
        place = place[group]
    del place[name]
    where = ".".join(["here: details", *groups])
    with pytest.raises(ArtifactError, match=f"^{where} lack '{name}'"):
        read(details)


def test_an_unknown_entry_within_is_named() -> None:
    with pytest.raises(ArtifactError, match=r"^here: details\.training hold unknown .*'stesp'"):
        read(changed("training.stesp", 1))
