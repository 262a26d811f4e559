"""The record of a reader: trained here, quantised, both, or neither."""

import json
from typing import Any

import pytest

from spider.artifacts.records.reader import LanguageModelTrainingRecord, ReaderRecord
from spider.errors import ArtifactError

TRAINING: dict[str, Any] = {
    "steps": 3,
    "tokens_per_step": 32,
    "training_tokens": 900,
    "epochs": 0.107,
    "validation_tokens": 80,
    "validation": {"loss": 5.5},
}


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"training": {}},
        {"training": TRAINING},
        {"quantization": {"quant_method": "experts_int8"}},
        {"training": TRAINING, "quantization": {"dense": True}},
    ],
)
def test_round_trip(details: dict[str, Any]) -> None:
    record = ReaderRecord.from_details(details, where="here")
    assert json.dumps(record.to_details()) == json.dumps(details)


def test_an_empty_training_is_no_missing_training() -> None:
    assert ReaderRecord.from_details({"training": {}}, where="x").training is not None
    assert ReaderRecord.from_details({}, where="x").training is None
    assert ReaderRecord(training=LanguageModelTrainingRecord()).to_details() == {"training": {}}


@pytest.mark.parametrize("name", TRAINING)
@pytest.mark.parametrize("value", ["3", True, [3]])
def test_a_wrong_type_is_named(name: str, value: object) -> None:
    with pytest.raises(ArtifactError, match=rf"details\.training\.{name}: got .*expected"):
        ReaderRecord.from_details({"training": {**TRAINING, name: value}}, where="here")
