"""Answer and Evidence: what a reader returns for one question."""

from dataclasses import dataclass

from spider.errors import DataError
from spider.ranking import RankedPassage


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A stretch of a passage that supports an answer, usually one sentence.

    Attributes:
        passage: the passage, with its rank and score.
        start: first code point of the stretch in ``passage.text``.
        end: the code point after the last.
        score: the reader's own score of the stretch; higher is better.
    """

    passage: RankedPassage
    start: int
    end: int
    score: float

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= len(self.passage.text):
            raise DataError(
                f"evidence in passage {self.passage.id!r}: got code points {self.start} to "
                f"{self.end}, expected a stretch within 0 to {len(self.passage.text)}"
            )

    @property
    def text(self) -> str:
        """The stretch itself."""
        return self.passage.text[self.start : self.end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reader's answer to one question, with its evidence.

    Attributes:
        text: a span of a passage, or generated text; empty when the reader abstains.
        confidence: estimated probability that the answer is right, from 0 to 1.
        evidence: passages' stretches that support the answer, best first.
    """

    text: str
    confidence: float
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise DataError(f"answer: got confidence {self.confidence}, expected 0 to 1")

    @property
    def abstained(self) -> bool:
        """Whether the reader gave no answer; there may still be evidence to show."""
        return not self.text
