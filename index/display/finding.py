"""What was found for one question: passages with their headings and places, and a doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from index.display.headings import heading_above
from index.display.places import FilePlace, SourcePlaces
from index.display.selection import select
from index.display.snippet import best_line, wanted_words
from index.doubt.match_check import Match, MatchCheck
from index.engines.opening import OpenIndex
from spider.ranking import RankedPassage


@dataclass(frozen=True, kw_only=True)
class Found:
    """One passage of the answer.

    Attributes:
        hit: the passage with its rank in the answer, score and shares.
        heading: the heading above its line with most words of the question; empty if none is.
        place: its file and line; None where its document is no file.
    """

    hit: RankedPassage
    heading: str
    place: FilePlace | None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found for one question.

    Attributes:
        question: the question.
        found: passages, best first.
        match: how well they fit.
        left_out: passages that ranked among them and were left out, since there were others of
            their documents.
        cut: whether the question has more words than are searched.
    """

    question: str
    found: Sequence[Found]
    match: Match
    left_out: int
    cut: bool = False

    def numbered(self, text: str) -> Found | None:
        """Return the passage of the rank that a person typed; None if it is no such number."""
        return next((one for one in self.found if text == str(one.hit.rank)), None)

    def to_json(self) -> dict[str, Any]:
        """Return one JSON object; its texts are as they are in the corpus."""
        coverage, least = self.match
        return {
            "question": self.question,
            "probably_none": not self.found or self.match.probably_none,
            "coverage": None if coverage is None else round(coverage, 4),
            "least_coverage": least,
            "left_out": self.left_out,
            "question_cut": self.cut,
            "passages": [_to_json(one) for one in self.found],
        }


class Finder:
    """Finds the passages that are shown for a question.

    Args:
        index: an open index.
        k: passages for each question.
        per_document: passages of one document; 0 is no limit. It does not apply to a corpus of one
            document.
    """

    def __init__(self, index: OpenIndex, *, k: int, per_document: int):
        self._index = index
        self._k = k
        self._per_document = per_document if index.corpus.n_documents > 1 else 0
        self._check = MatchCheck(index.artifact)
        self._places = SourcePlaces(index.corpus.artifact)

    def find(self, question: str) -> Finding:
        """Search one question."""
        before = self._index.engine.cut_questions
        hits, left_out = select(
            lambda depth: self._index.passages([question], depth)[0],
            k=self._k,
            per_document=self._per_document,
        )
        return Finding(
            question=question,
            found=[self._found(hit, wanted_words(question)) for hit in hits],
            match=self._check.judge(question, hits),
            left_out=left_out,
            cut=self._index.engine.cut_questions > before,
        )

    def _found(self, hit: RankedPassage, wanted: frozenset[str]) -> Found:
        corpus = self._index.corpus
        document = corpus.document(corpus.document_number(hit.position))
        place = hit.passage.start + best_line(hit.text, wanted)
        heading = heading_above(document.text, place, document_id=document.id)
        return Found(
            hit=hit,
            heading="" if heading.casefold() == hit.title.casefold() else heading,
            place=self._places.find(hit.passage),
        )


def _to_json(one: Found) -> dict[str, Any]:
    hit, place = one.hit, one.place
    return {
        "rank": hit.rank,
        "id": hit.id,
        "document": hit.source,
        "title": hit.title,
        "heading": one.heading,
        "path": None if place is None else str(place.path),
        "line": None if place is None else place.line,
        "score": round(hit.score, 6),
        "shares": {name: round(share, 4) for name, share in hit.shares.items()},
        "text": hit.text,
    }
