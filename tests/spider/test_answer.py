"""Answers and evidence: what they derive, and which values they refuse."""

import pytest

from spider.answer import Answer, Evidence
from spider.corpus.document import Passage
from spider.errors import DataError
from spider.ranking import RankedPassage

PASSAGE = Passage(
    id="a:0", document_id="a.txt", title="Threads", text="One lock. It is global.", start=0, end=23
)
RANKED = RankedPassage(rank=1, position=7, passage=PASSAGE, score=2.5)


def test_evidence_is_the_marked_stretch_of_its_passage() -> None:
    assert Evidence(passage=RANKED, start=10, end=23, score=0.5).text == "It is global."


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (4, 4), (5, 3), (0, 24)])
def test_evidence_outside_the_passage_is_refused(start: int, end: int) -> None:
    with pytest.raises(DataError, match=f"'a:0': got code points {start} to {end}"):
        Evidence(passage=RANKED, start=start, end=end, score=0.5)


def test_an_empty_text_means_that_the_reader_abstained() -> None:
    assert Answer(text="", confidence=0.1).abstained
    assert not Answer(text="a lock", confidence=0.1).abstained


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_is_a_probability(confidence: float) -> None:
    with pytest.raises(DataError, match="expected 0 to 1"):
        Answer(text="a lock", confidence=confidence)


def test_a_ranked_passage_names_its_place() -> None:
    assert (RANKED.id, RANKED.title, RANKED.source) == ("a:0", "Threads", "a.txt")
    assert RANKED.text == PASSAGE.text
