"""Collects the questions of a file: ids are unique, and what has no answer is counted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from spider.errors import DataError
from spider.question import Question, is_blank
from spider.sources.reading_report import ReadingReport

WITHOUT_ANSWERS = "questions_without_answers"
BLANK_ANSWERS = "blank_answers_left_out"
REPEATED = "repeated_id"
ALL_BLANK = "all_answers_blank"
EMPTY_LIST = "an empty list says that a question has no answer"


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
        self._places: dict[str, str] = {}
        self._questions: list[Question] = []
        self._counts: Counter[str] = Counter()
        self._report = ReadingReport()

    def __len__(self) -> int:
        return len(self._questions)

    def add(self, question: Question, number: int, *, file: Path | None = None) -> None:
        """Append a question without its blank answers, which would be found in every passage.

        A question of which every answer is blank is skipped.

        Args:
            question: without answers if the file gives none.
            number: its line, row or entry, as the message counts it.
            file: where it is, if the questions lie in several files.

        Raises:
            DataError: an earlier question has its id.
        """
        answers = tuple(answer for answer in question.answers if not is_blank(answer))
        place = self._place(number, file)
        first = self._places.setdefault(question.id, place)
        if first is place:
            self._counts[BLANK_ANSWERS] += len(question.answers) - len(answers)
            if question.answers and not answers:
                self._report.skip(ALL_BLANK, self._shown(place), hint=EMPTY_LIST)
                return
            self._questions.append(replace(question, answers=answers))
            self._counts[WITHOUT_ANSWERS] += not (question.answers or question.relevant)
        elif self._keep_first:
            self._report.skip(REPEATED, self._shown(place))
        else:
            raise DataError(
                f"the id {question.id!r} occurs in {first} and in {place}; ids must be unique; "
                "question_set.keep_first=true keeps the first",
                path=self._path,
            )

    def skip(self, reason: str, number: int) -> None:
        """Count a question that is left out.

        Args:
            reason: words joined by underscores.
            number: its line, row or entry.
        """
        self._report.skip(reason, self._shown(self._place(number, None)))

    def _place(self, number: int, file: Path | None) -> str:
        return f"{self._unit} {number}" + ("" if file is None else f" of {file.name}")

    def _shown(self, place: str) -> str:
        return f"{self._path}: {place}"

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions so far."""
        return tuple(self._questions)

    @property
    def counts(self) -> dict[str, int]:
        """Number of questions without an answer, and of those left out by reason."""
        counts = self._counts + Counter(self._report.counts)
        return {name: number for name, number in counts.items() if number}

    @property
    def skipped(self) -> Mapping[str, Mapping[str, Any]]:
        """For each reason the number of questions left out, a hint, and the first of them."""
        return self._report.skipped
