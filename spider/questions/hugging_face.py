"""Questions from a Hugging Face data set."""

from spider.errors import DataError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.questions.json_lists import answer_list
from spider.settings import Execution
from spider.sources.hugging_face_rows import column, fingerprint_rows, read_rows


class HuggingFaceQuestions:
    """Questions from the rows of a data set.

    Args:
        path: a name on the hub, a folder written by ``save_to_disk``, or Parquet files.
        name: as reports print it.
        subset: the hub's name for a configuration.
        split: which split to read.
        revision: commit, tag or branch on the hub; without one, the data may change.
        streaming: read the hub's files while they download, without storing them.
        id_column: column of the id; null numbers the rows from 0.
        question_column: column of the question.
        answer_column: column of the answer or list of answers; dots reach into a column
            (``answers.text``); null for none.
        match: what makes a passage a hit.
        averaging: micro over questions.
    """

    def __init__(
        self,
        *,
        path: Execution[str],
        name: str,
        subset: str | None = None,
        split: str = "validation",
        revision: str | None = None,
        streaming: bool = True,
        id_column: str | None = None,
        question_column: str = "question",
        answer_column: str | None = "answer",
        match: MatchMode = "string",
        averaging: Averaging = "micro",
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

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of the files of a local data set."""
        return fingerprint_rows(self.path)

    def read(self) -> QuestionSet:
        """Return the questions in row order.

        Raises:
            MissingDependencyError: ``datasets`` is not installed.
            DataError: the data set cannot be read, or a row is malformed.
        """
        questions: list[Question] = []
        rows = read_rows(
            self.path,
            subset=self.subset,
            split=self.split,
            revision=self.revision,
            streaming=self.streaming,
        )
        for number, row in enumerate(rows):
            answers: tuple[str, ...] = ()
            if self.answer_column is not None:
                try:
                    answers = answer_list(column(row, self.answer_column))
                except ValueError as error:
                    raise DataError(f"{self.path}: row {number}: {error}") from error
            identity = number if self.id_column is None else column(row, self.id_column)
            text = str(column(row, self.question_column))
            questions.append(Question(id=str(identity), text=text, answers=answers))
        return QuestionSet(
            name=self.name,
            questions=tuple(questions),
            match=self.match,
            averaging=self.averaging,
        )
