"""WebQuestions: one JSON list of ``qId``, ``qText`` and ``answers``."""

from pathlib import Path

from spider.errors import DataError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.questions.json_lists import answer_list, read_json_list, string_value
from spider.settings import Execution
from spider.sources.text_files import fingerprint_files


class WebQuestions:
    """WebQuestions in the format of brmson/dataset-factoid-webquestions.

    Args:
        path: the file, plain or compressed.
        name: as reports print it.
        match: what makes a passage a hit.
        averaging: micro over questions.
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        name: str = "WebQuestions",
        match: MatchMode = "string",
        averaging: Averaging = "micro",
    ):
        self.path = Path(path).expanduser()
        self.name = name
        self.match: MatchMode = match
        self.averaging: Averaging = averaging

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of the file."""
        return fingerprint_files([self.path])

    def read(self) -> QuestionSet:
        """Return the questions in file order under their ``qId``.

        Raises:
            DataError: the file or one of its entries is malformed.
        """
        questions = []
        for number, record in enumerate(read_json_list(self.path), start=1):
            try:
                question = Question(
                    id=string_value(record, "qId"),
                    text=string_value(record, "qText"),
                    answers=answer_list(record.get("answers")),
                )
            except ValueError as error:
                raise DataError(f"entry {number}: {error}", path=self.path) from error
            questions.append(question)
        return QuestionSet(
            name=self.name,
            questions=tuple(questions),
            match=self.match,
            averaging=self.averaging,
        )
