"""Tells whether the passages that were found probably have nothing to do with a question."""

from collections.abc import Sequence
from typing import NamedTuple

from index.doubt.calibration import LOOKED_AT
from index.doubt.term_weights import TermWeights, passage_terms
from spider.artifacts.artifact import Artifact
from spider.artifacts.records.index import IndexRecord
from spider.ranking import RankedPassage


class Match(NamedTuple):
    """How well the best passages fit a question.

    Attributes:
        coverage: the share of the question's informative words in one of them, weighted by rarity;
            None where the question has no such word.
        least: the coverage that 19 of 20 held-out queries of this index reach; 0 without held-out
            queries.
    """

    coverage: float | None
    least: float

    @property
    def probably_none(self) -> bool:
        """Whether nothing in the index probably matches; no word in common is always a reason."""
        return self.coverage is not None and (self.coverage < self.least or self.coverage == 0)

    def sentence(self) -> str:
        """Return a sentence for people; empty where there is no doubt."""
        if not self.probably_none or self.coverage is None:
            return ""
        if self.coverage == 0:
            return (
                "Probably nothing matches: no passage has a word of the question that tells much."
            )
        return (
            f"Probably nothing matches: no passage has more than {self.coverage:.0%} of what the "
            f"question asks for (19 of 20 held-out queries find {self.least:.0%} or more)."
        )


class MatchCheck:
    """Judges rankings by what the index recorded when it was built.

    Args:
        artifact: the index.
    """

    def __init__(self, artifact: Artifact):
        record = IndexRecord.from_manifest(artifact).match
        self._least = 0.0 if record is None else record.least_coverage
        self._weights = TermWeights.equal() if record is None else TermWeights.load(artifact.path)

    def judge(self, question: str, ranked: Sequence[RankedPassage]) -> Match:
        """Judge a ranking by its first passages."""
        held = [passage_terms(hit.title, hit.text) for hit in ranked[:LOOKED_AT]]
        return Match(self._weights.coverage(question, held), self._least)
