"""The record of embeddings: what a reader of the vectors has to know, all of it required."""

import dataclasses

import pytest

from spider.artifacts.records.embeddings import EmbeddingsRecord
from spider.errors import ArtifactError

RECORD = EmbeddingsRecord(
    dimension=8,
    similarity="dot",
    score_scale="unit",
    dtype="float16",
    passages=10,
    shard_size=4,
)
DETAILS = {
    "dimension": 8,
    "similarity": "dot",
    "score_scale": "unit",
    "dtype": "float16",
    "passages": 10,
    "shard_size": 4,
}


def test_round_trip() -> None:
    assert RECORD.to_details() == DETAILS
    assert list(RECORD.to_details()) == list(DETAILS)
    assert EmbeddingsRecord.from_details(DETAILS, where="here") == RECORD


@pytest.mark.parametrize("name", DETAILS)
def test_every_entry_is_required(name: str) -> None:
    details = {key: value for key, value in DETAILS.items() if key != name}
    with pytest.raises(ArtifactError, match=f"^here: details lack '{name}'; make the artifact"):
        EmbeddingsRecord.from_details(details, where="here")


@pytest.mark.parametrize("name", DETAILS)
def test_a_wrong_type_is_named(name: str) -> None:
    wrong = "8" if isinstance(DETAILS[name], int) else 8
    expected = "int" if isinstance(DETAILS[name], int) else "str"
    with pytest.raises(ArtifactError) as caught:
        EmbeddingsRecord.from_details({**DETAILS, name: wrong}, where="here")
    assert str(caught.value) == (
        f"here: details.{name}: got {wrong!r}, expected {expected}; make the artifact again"
    )
    assert caught.value.exit_code == 5


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RECORD.dimension = 9  # type: ignore[misc]
