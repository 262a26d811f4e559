"""The details of a ``questions`` artifact."""

from dataclasses import dataclass
from typing import ClassVar

from spider.artifacts.record import DetailsRecord

WRITER = "prepare-questions"


@dataclass(frozen=True, kw_only=True)
class QuestionsRecord(DetailsRecord):
    """The manifest's details of a question set; see :class:`spider.question.QuestionSet`.

    Attributes:
        name: as reports print it.
        match: what makes a passage a hit.
        averaging: over questions or over groups.
    """

    KIND: ClassVar[str] = "questions"
    PAYLOAD: ClassVar[tuple[str, ...]] = ("questions.jsonl", "question_set.json")

    name: str
    match: str
    averaging: str
