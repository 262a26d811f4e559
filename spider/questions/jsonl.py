"""JSON lines: ``{"question": "...", "answer": ["...", ...]}``, one in each line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from spider.errors import DataError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.questions.collection import QuestionCollector
from spider.questions.json_lists import answer_list, passage_ids
from spider.settings import Execution
from spider.sources.formats.fields import (
    filled_field,
    find_field,
    has_field,
    id_field,
    title_field,
)
from spider.sources.text_files import fingerprint_files, read_json_lines

ANSWER_FIELDS = ("answer", "answers")


class JsonLinesQuestions:
    """Questions from JSON lines, plain or compressed (.gz, .bz2, .xz, .zst).

    Args:
        path: the file.
        name: as reports print it.
        match: what makes a passage a hit; ``passage`` takes the answers as ids of passages, or of
            documents, whose passages are then all hits.
        averaging: micro, or macro over groups.
        id_field: field of the id; a row without it is numbered from 0.
        question_field: field of the question.
        answer_field: field of the answer or list of answers; dots reach into an object
            (``answers.text``). Null takes ``answer`` or ``answers``; if a row has both and
            they differ, that is an error. A row with an empty list or without the field has no
            answer: it can be searched and read, but is never a hit.
        group_field: field of the group that macro averages are taken over; null for none.
        keep_first: of the questions with one id, keep the first; otherwise a second one is an
            error.
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        name: str,
        match: MatchMode = "string",
        averaging: Averaging = "micro",
        id_field: str = "id",
        question_field: str = "question",
        answer_field: str | None = None,
        group_field: str | None = None,
        keep_first: bool = False,
    ):
        self.path = Path(path).expanduser()
        self.name = name
        self.match: MatchMode = match
        self.averaging: Averaging = averaging
        self.id_field = id_field
        self.question_field = question_field
        self.answer_field = answer_field
        self.group_field = group_field
        self.keep_first = keep_first
        self.counts: Mapping[str, int] = {}
        self.skipped: Mapping[str, Any] = {}

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of the file."""
        return fingerprint_files([self.path])

    def read(self) -> QuestionSet:
        """Return the questions in file order.

        Raises:
            DataError: a line is malformed, two have one id, or no line has the answer field.
        """
        collected = QuestionCollector(self.path, keep_first=self.keep_first)
        answer_fields: set[str] = set()
        number = 0
        for line, record in read_json_lines(self.path):
            try:
                collected.add(self._question(record, number), line)
            except DataError:
                raise
            except ValueError as error:
                raise DataError(str(error), path=self.path, line=line) from error
            number += 1
            answer_fields.update(name for name in self._answer_fields if has_field(record, name))
        if number and self.answer_field is not None and not answer_fields:
            raise DataError(
                f"no line has the field {self.answer_field!r} of question_set.answer_field",
                path=self.path,
            )
        self.skipped = collected.skipped
        self.counts = collected.counts
        return QuestionSet(
            name=self.name,
            questions=collected.questions,
            match=self.match,
            averaging=self.averaging,
        )

    @property
    def _answer_fields(self) -> tuple[str, ...]:
        return ANSWER_FIELDS if self.answer_field is None else (self.answer_field,)

    def _question(self, record: dict[str, Any], number: int) -> Question:
        by_passage = self.match == "passage"
        answers = self._answers(record, passage_ids if by_passage else answer_list)
        named = has_field(record, self.id_field) and find_field(record, self.id_field) is not None
        return Question(
            id=id_field(record, self.id_field) if named else str(number),
            text=filled_field(record, self.question_field, setting="question_set.question_field"),
            answers=() if by_passage else answers,
            relevant=answers if by_passage else (),
            group=title_field(record, self.group_field),
        )

    def _answers(
        self, record: dict[str, Any], parse: Callable[[Any], tuple[str, ...]]
    ) -> tuple[str, ...]:
        """Return the answers of a row, which two fields may only give alike."""
        fields = [name for name in self._answer_fields if has_field(record, name)]
        filled = [name for name in fields if find_field(record, name) not in (None, [])]
        if len(filled) < 2:
            return next((parse(find_field(record, name)) for name in filled), ())
        first, second = (find_field(record, name) for name in filled)
        same = not isinstance(second, dict) and not isinstance(first, dict)
        if not same or set(parse(first)) != set(parse(second)):
            raise ValueError(
                f"the fields {filled[0]!r} and {filled[1]!r} give different answers; "
                "question_set.answer_field=NAME says which one counts"
            )
        return parse(first)
