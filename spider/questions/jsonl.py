"""JSON lines: ``{"question": "...", "answer": ["...", ...]}``, one in each line."""

from pathlib import Path
from typing import Any

from spider.errors import DataError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.questions.json_lists import answer_list, string_value
from spider.settings import Execution
from spider.sources.text_files import fingerprint_files, read_json_lines


class JsonLinesQuestions:
    """Questions from JSON lines, plain or compressed (.gz, .bz2, .xz, .zst).

    Args:
        path: the file.
        name: as reports print it.
        match: what makes a passage a hit; ``passage`` takes the answers as passage ids.
        averaging: micro, or macro over groups.
        id_field: field of the id; a row without it is numbered from 0.
        question_field: field of the question.
        answer_field: field of the answer or list of answers; without it in any row, the set can be
            searched and read, but not scored.
        group_field: field of the group that macro averages are taken over; null for none.
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
        answer_field: str = "answer",
        group_field: str | None = None,
    ):
        self.path = Path(path).expanduser()
        self.name = name
        self.match: MatchMode = match
        self.averaging: Averaging = averaging
        self.id_field = id_field
        self.question_field = question_field
        self.answer_field = answer_field
        self.group_field = group_field

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of the file."""
        return fingerprint_files([self.path])

    def read(self) -> QuestionSet:
        """Return the questions in file order.

        Raises:
            DataError: a line is malformed.
        """
        questions: list[Question] = []
        for line, record in read_json_lines(self.path):
            try:
                questions.append(self._question(record, len(questions)))
            except ValueError as error:
                raise DataError(str(error), path=self.path, line=line) from error
        return QuestionSet(
            name=self.name,
            questions=tuple(questions),
            match=self.match,
            averaging=self.averaging,
        )

    def _question(self, record: dict[str, Any], number: int) -> Question:
        answers: tuple[str, ...] = ()
        if self.answer_field in record:
            answers = answer_list(record[self.answer_field])
        by_passage = self.match == "passage"
        return Question(
            id=str(record.get(self.id_field, number)),
            text=string_value(record, self.question_field),
            answers=() if by_passage else answers,
            relevant=answers if by_passage else (),
            group="" if self.group_field is None else str(record.get(self.group_field, "")),
        )
