"""What the terminal shows of a ranking."""

import pytest

from index.engines.passage_display import show_passages
from spider.corpus.document import Passage
from spider.ranking import RankedPassage


def ranked(title: str) -> RankedPassage:
    passage = Passage(
        id="d0#1", document_id="notes/d0.md", title=title, text="A [lock] is held.", start=0, end=17
    )
    shares = {"dense": 0.25, "bm25": 0.75}
    return RankedPassage(rank=1, position=4, passage=passage, score=3.14159, shares=shares)


def test_title_id_score_shares_and_snippet(capsys: pytest.CaptureFixture[str]) -> None:
    show_passages("what is a lock?", [ranked("Threads")])
    shown = capsys.readouterr().out
    # brackets of a text are not markup
    for piece in ("1  Threads", "[d0#1]", "score 3.142", "dense 25%  bm25 75%", "A [lock] is held"):
        assert piece in shown


def test_without_a_title_the_document_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    show_passages("lock", [ranked("")])
    assert "notes/d0.md" in capsys.readouterr().out


def test_nothing_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    show_passages("lock", [])
    assert "no passage was found" in capsys.readouterr().out
