"""Collects the questions of a file: ids are unique, and what has no answer is counted."""

from collections import Counter
from pathlib import Path

from spider.errors import DataError
from spider.question import Question

WITHOUT_ANSWERS = "questions_without_answers"
REPEATED = "skipped_repeated_id"


class QuestionCollector:
    """Questions in the order of a file.

    Args:
        path: the file or data set, for messages.
        unit: what is counted in it: ``line``, ``row`` or ``entry``.
        keep_first: of the questions with one id, keep the first and count the others; if false, the
            second one is an error.
    """

    def __init__(self, path: Path | str, *, unit: str = "line", keep_first: bool = False):
        self._path = path
        self._unit = unit
        self._keep_first = keep_first
        self._places: dict[str, int] = {}
        self._questions: list[Question] = []
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._questions)

    def add(self, question: Question, number: int) -> None:
        """Append a question.

        Args:
            question: without answers if the file gives none.
            number: its line, row or entry, as the message counts it.

        Raises:
            DataError: an earlier question has its id.
        """
        first = self._places.setdefault(question.id, number)
        if first == number:
            self._questions.append(question)
            self._counts[WITHOUT_ANSWERS] += not (question.answers or question.relevant)
        elif self._keep_first:
            self._counts[REPEATED] += 1
        else:
            raise DataError(
                f"the id {question.id!r} occurs in {self._unit} {first} and in {self._unit} "
                f"{number}; ids must be unique; question_set.keep_first=true keeps the first",
                path=self._path,
            )

    def skip(self, reason: str) -> None:
        """Count a question that is left out."""
        self._counts[f"skipped_{reason}"] += 1

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions so far."""
        return tuple(self._questions)

    @property
    def counts(self) -> dict[str, int]:
        """Number of questions without an answer, and of those left out by reason."""
        return {name: number for name, number in self._counts.items() if number}
