"""What the terminal shows of an answer."""

from pathlib import Path
from typing import Any

import pytest

from index.display.finding import Finding, Found
from index.display.layout import rows_of
from index.display.passages import SCORES, SHARES, WIDEST, Screen, arrange, show, whole_passage
from index.display.places import FilePlace
from index.doubt.match_check import Match
from spider.corpus.document import Passage
from spider.ranking import RankedPassage

CERTAIN = Match(0.9, 0.3)
LONG = " ".join(f"word{number}" for number in range(200))


def found(
    rank: int = 1, title: str = "Threads", text: str = "A [lock] is held.", **changes: Any
) -> Found:
    passage = Passage(
        id=f"d0#{rank}", document_id="notes/d0.md", title=title, text=text, start=0, end=len(text)
    )
    shares = {"dense": 0.25, "bm25": 0.75}
    hit = RankedPassage(rank=rank, position=4, passage=passage, score=3.14159, shares=shares)
    return Found(**{"hit": hit, "heading": "Locks", "place": None, **changes})


def finding(*hits: Found, match: Match = CERTAIN, left_out: int = 0) -> Finding:
    return Finding(question="what is a lock?", found=hits, match=match, left_out=left_out)


def test_question_title_heading_place_score_shares_and_text(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    show(finding(found(place=FilePlace(tmp_path / "d0.md", 7))))
    # brackets of a text are not markup
    assert capsys.readouterr().out.splitlines() == [
        "what is a lock?",
        " 1  Threads › Locks",
        f"    {tmp_path}/d0.md:7  [d0#1]  score 3.142  dense 25%  bm25 75%",
        "    A [lock] is held.",
        "",
        *rows_of(SCORES + SHARES, WIDEST),
    ]


def test_without_a_title_the_document_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    show(finding(found(title="", heading="")), explain=False)
    assert " 1  notes/d0.md\n" in capsys.readouterr().out


def test_nothing_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    show(finding(match=Match(0.0, 0.3)))
    assert capsys.readouterr().out == "what is a lock?\nno passage was found\n"


def test_a_doubt_and_what_was_left_out_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    show(finding(found(), match=Match(0.21, 0.33), left_out=2), explain=False)
    said = capsys.readouterr().out
    assert "Probably nothing matches: no passage has more than 21%" in said
    assert "2 passages were left out for other documents: per_document=0 shows all." in said


def test_passages_shrink_to_fit_and_the_best_is_in_view() -> None:
    hits = [found(rank, text=LONG) for rank in range(1, 6)]
    for height in range(1, 60):
        rows = [row.plain for row in arrange(finding(*hits), Screen(60, height))]
        heads = [row for row in rows if "Threads" in row]
        assert len(heads) == 5
        if len(rows) < height:
            assert heads[0].startswith(" 1")
            # the question, the best passage: nothing has scrolled away
            assert rows[0] == "what is a lock?"
        else:
            assert heads[-1].startswith(" 1")
            assert rows[-1] == "The best passage comes last, where it stays in view."
    assert len(arrange(finding(*hits), Screen(60, 100))) > len(
        arrange(finding(*hits), Screen(60, 25))
    )


def test_whole_passages_on_request() -> None:
    rows = [row.plain for row in arrange(finding(found(text=LONG)), Screen(60, None), full=True)]
    assert all(f"word{number}" in " ".join(rows) for number in range(200))
    assert max(map(len, rows)) <= 60
    alone = whole_passage(found(text="a\n\nlock"), "lock")
    assert [row.plain for row in alone][2:] == ["    a", "", "    lock"]


def test_a_narrow_terminal_has_the_place_on_a_row_of_its_own() -> None:
    one = found(text=LONG, place=FilePlace(Path("/a/d0.md"), 7))
    for width in (46, 55, 56, 100):
        rows = [row.plain for row in arrange(finding(one), Screen(width, 60))]
        assert max(map(len, rows)) <= width
        if width < 56:
            assert rows[2:4] == ["    /a/d0.md:7", "    [d0#1]  score 3.142  dense 25%  bm25 75%"]
        else:
            assert rows[2] == "    /a/d0.md:7  [d0#1]  score 3.142  dense 25%  bm25 75%"


def test_words_of_the_question_are_marked() -> None:
    (row,) = (row for row in arrange(finding(found()), Screen(60, None)) if "held" in row.plain)
    assert [row.plain[span.start : span.end] for span in row.spans] == ["lock"]


def test_no_name_controls_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = "\x1b]52;c;aGk=\x07\x08\r\n\x9b2J\u202e"
    place = FilePlace(Path(f"/{odd}.md"), 1)
    show(finding(found(title=odd, text=odd, heading=odd, place=place)))
    said = capsys.readouterr().out
    assert not set(said) & set("\x1b\x07\x08\r\x9b\u202e")
    # the text has a line break of its own
    assert said.count("\n") == 8
