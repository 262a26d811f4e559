"""Questions from a Hugging Face data set."""

from collections.abc import Mapping
from typing import Any

from spider.errors import DataError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.questions.collection import QuestionCollector
from spider.questions.json_lists import answer_list, passage_ids
from spider.settings import Execution
from spider.sources.formats.fields import filled_field, find_field, id_field
from spider.sources.hugging_face_rows import fingerprint_rows, read_rows


class HuggingFaceQuestions:
    """Questions from the rows of a data set.

    Args:
        path: a name on the hub; a folder written by ``save_to_disk``; a folder of Parquet, JSON or
            CSV files, laid out like a data set on the hub; or one such file.
        name: as reports print it.
        subset: the hub's name for a configuration.
        split: which split to read; null takes ``validation``, or the only split there is.
        revision: commit, tag or branch on the hub; without one, the data may change.
        streaming: read the hub's files while they download, without storing them.
        id_column: column of the id; null numbers the rows from 0.
        question_column: column of the question.
        answer_column: column of the answer or list of answers; dots reach into a column
            (``answers.text``); null for none.
        match: what makes a passage a hit; ``passage`` takes the answers as ids.
        averaging: micro over questions.
        keep_first: of the questions with one id, keep the first; otherwise a second one is an
            error.
    """

    def __init__(
        self,
        *,
        path: Execution[str],
        name: str,
        subset: str | None = None,
        split: str | None = None,
        revision: str | None = None,
        streaming: bool = True,
        id_column: str | None = None,
        question_column: str = "question",
        answer_column: str | None = "answer",
        match: MatchMode = "string",
        averaging: Averaging = "micro",
        keep_first: bool = False,
    ):
        self.path = path
        self.name = name
        self.subset = subset
        self.split = split
        self.revision = revision
        self.streaming = streaming
        self.id_column = id_column
        self.question_column = question_column
        self.answer_column = answer_column
        self.match: MatchMode = match
        self.averaging: Averaging = averaging
        self.keep_first = keep_first
        self.counts: Mapping[str, int] = {}
        self.skipped: Mapping[str, Any] = {}

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of the files of a local data set."""
        return fingerprint_rows(self.path)

    def read(self) -> QuestionSet:
        """Return the questions in row order.

        Raises:
            MissingDependencyError: ``datasets`` is not installed.
            DataError: the data set cannot be read, or a row is malformed.
        """
        collected = QuestionCollector(self.path, unit="row", keep_first=self.keep_first)
        rows = read_rows(
            self.path,
            subset=self.subset,
            split=self.split,
            usual_split="validation",
            revision=self.revision,
            streaming=self.streaming,
        )
        for number, row in enumerate(rows):
            try:
                question = self._question(row, number)
            except ValueError as error:
                raise DataError(f"row {number}: {error}", path=self.path) from error
            collected.add(question, number)
        self.skipped = collected.skipped
        self.counts = collected.counts
        return QuestionSet(
            name=self.name,
            questions=collected.questions,
            match=self.match,
            averaging=self.averaging,
        )

    def _question(self, row: Mapping[str, Any], number: int) -> Question:
        by_passage = self.match == "passage"
        answers: tuple[str, ...] = ()
        if self.answer_column is not None:
            value = find_field(row, self.answer_column, setting="question_set.answer_column")
            answers = passage_ids(value) if by_passage else answer_list(value)
        return Question(
            id=str(number) if self.id_column is None else id_field(row, self.id_column),
            text=filled_field(row, self.question_column, setting="question_set.question_column"),
            answers=() if by_passage else answers,
            relevant=answers if by_passage else (),
        )
