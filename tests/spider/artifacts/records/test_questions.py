"""The record of a question set agrees with the set that it describes."""

import pytest

from spider.artifacts.records.questions import QuestionsRecord
from spider.errors import ArtifactError

DETAILS = {"name": "nq", "match": "string", "averaging": "micro"}


def test_round_trip() -> None:
    record = QuestionsRecord.from_details(DETAILS, where="here")
    assert record == QuestionsRecord(name="nq", match="string", averaging="micro")
    assert record.to_details() == DETAILS


@pytest.mark.parametrize("name", DETAILS)
@pytest.mark.parametrize("value", [None, 3, ["string"], {}, True])
def test_every_entry_is_text(name: str, value: object) -> None:
    with pytest.raises(ArtifactError) as caught:
        QuestionsRecord.from_details({**DETAILS, name: value}, where="here")
    assert str(caught.value) == (
        f"here: details.{name}: got {value!r}, expected str; make the artifact again"
    )


def test_an_entry_of_a_later_version_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"unknown entries \['language'\].*version that made"):
        QuestionsRecord.from_details({**DETAILS, "language": "en"}, where="here")
