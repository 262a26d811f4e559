"""What was found for a question, as an object and as JSON."""

from pathlib import Path
from typing import Any

from index.display.finding import Finder, Finding, Found
from index.display.places import FilePlace
from index.doubt.match_check import Match
from index.engines.opening import open_index
from index.fusion.weighted_sum import WeightedSum
from index.sparse.bm25s_index import Bm25s
from index.verbs.build import BuildSettings, main
from spider.corpus.document import Passage
from spider.ranking import RankedPassage


def test_json_has_the_text_itself(tmp_path: Path) -> None:
    passage = Passage(id="d#0", document_id="d", title="a\x1b", text="x", start=0, end=1)
    hit = RankedPassage(rank=1, position=0, passage=passage, score=2.0, shares={"bm25": 1.0})
    one = Found(hit=hit, heading="h", place=FilePlace(tmp_path / "d", None))
    finding = Finding(question="q", found=[one], match=Match(0.2, 0.3), left_out=1)
    record = finding.to_json()
    assert record["probably_none"] is True
    assert (record["coverage"], record["least_coverage"], record["left_out"]) == (0.2, 0.3, 1)
    (passage_record,) = record["passages"]
    assert passage_record["title"] == "a\x1b"
    assert (passage_record["path"], passage_record["line"]) == (str(tmp_path / "d"), None)
    assert passage_record["shares"] == {"bm25": 1.0}
    assert finding.numbered("1") is one
    assert finding.numbered("2") is finding.numbered("01") is finding.numbered("") is None


def test_nothing_found_is_a_doubt() -> None:
    record = Finding(question="q", found=[], match=Match(None, 0.3), left_out=0).to_json()
    assert record["probably_none"] is True
    assert record["passages"] == []


def test_a_corpus_of_one_document_has_no_limit(make_corpus: Any, tmp_path: Path) -> None:
    book = make_corpus([("Book", [f"# Part {n}\n\nfox number {n}" for n in range(6)])])
    main(
        BuildSettings(
            corpus=book.path, output=tmp_path / "index", sparse=Bm25s(), fusion=WeightedSum()
        )
    )
    with open_index(tmp_path / "index") as index:
        finding = Finder(index, k=5, per_document=3).find("fox")
    assert len(finding.found) == 5
    assert finding.left_out == 0
    headings = {one.hit.id: one.heading for one in finding.found}
    assert headings["d0#0"] == "Part 0"
    assert all(one.place is None for one in finding.found)
