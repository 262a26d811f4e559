"""The record of mined spans, and what every record refuses."""

from pathlib import Path

import pytest

from spider.artifacts.records.questions import QuestionsRecord
from spider.artifacts.records.spans import SpansRecord
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError


@pytest.mark.parametrize("dropped", [True, False])
def test_round_trip(dropped: bool) -> None:
    details = {"last_passage_dropped": dropped}
    record = SpansRecord.from_details(details, where="here")
    assert record.last_passage_dropped is dropped
    assert record.to_details() == details


@pytest.mark.parametrize("value", [0, 1, None, "false", []])
def test_a_truth_is_no_number_and_no_text(value: object) -> None:
    with pytest.raises(ArtifactError) as caught:
        SpansRecord.from_details({"last_passage_dropped": value}, where="here")
    assert str(caught.value) == (
        f"here: details.last_passage_dropped: got {value!r}, expected bool; make the artifact again"
    )


def test_an_artifact_of_another_kind_is_refused(tmp_path: Path) -> None:
    stage = Stage(verb="mine", kind="spans", output=tmp_path / "spans", config={}, inputs={})
    with stage.writing():
        made = stage.finish(counts={}, details=SpansRecord(last_passage_dropped=True))
    assert SpansRecord.from_manifest(made).last_passage_dropped
    with pytest.raises(ArtifactError, match="this is a spans artifact, expected a questions"):
        QuestionsRecord.from_manifest(made)
