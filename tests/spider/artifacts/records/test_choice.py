"""The record of a choice: one of four encoders."""

import pytest

from spider.artifacts.records.choice import ChoiceRecord
from spider.errors import ArtifactError

DETAILS = {"architecture": "bert", "start": "x", "adapts": True, "reason": "x, adapted"}


@pytest.mark.parametrize("architecture", ["words", "static", "bert", "student"])
def test_round_trip(architecture: str) -> None:
    details = {**DETAILS, "architecture": architecture}
    assert ChoiceRecord.from_details(details, where="here").to_details() == details


@pytest.mark.parametrize("change", [{"architecture": "colbert"}, {"adapts": "yes"}, {"start": 1}])
def test_another_value_is_refused(change: dict[str, object]) -> None:
    (name,) = change
    with pytest.raises(ArtifactError, match=rf"^here: details\.{name}: got"):
        ChoiceRecord.from_details({**DETAILS, **change}, where="here")
