"""WebQuestions: one JSON list of ``qId``, ``qText`` and ``answers``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spider.errors import DataError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.questions.collection import QuestionCollector
from spider.questions.json_lists import answer_list, read_json_list
from spider.settings import Execution
from spider.sources.formats.fields import filled_field, find_field, id_field
from spider.sources.text_files import fingerprint_files


class WebQuestions:
    """WebQuestions in the format of brmson/dataset-factoid-webquestions.

    Args:
        path: the file, plain or compressed.
        name: as reports print it.
        match: what makes a passage a hit.
        averaging: micro over questions.
        keep_first: of the questions with one id, keep the first; otherwise a second one is an
            error.
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        name: str = "WebQuestions",
        match: MatchMode = "string",
        averaging: Averaging = "micro",
        keep_first: bool = False,
    ):
        self.path = Path(path).expanduser()
        self.name = name
        self.match: MatchMode = match
        self.averaging: Averaging = averaging
        self.keep_first = keep_first
        self.counts: Mapping[str, int] = {}
        self.skipped: Mapping[str, Any] = {}

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of the file."""
        return fingerprint_files([self.path])

    def read(self) -> QuestionSet:
        """Return the questions in file order under their ``qId``.

        Raises:
            DataError: the file or one of its entries is malformed, or two entries have one id.
        """
        collected = QuestionCollector(self.path, unit="entry", keep_first=self.keep_first)
        for number, record in enumerate(read_json_list(self.path), start=1):
            try:
                question = Question(
                    id=id_field(record, "qId"),
                    text=filled_field(record, "qText"),
                    answers=answer_list(find_field(record, "answers")),
                )
            except ValueError as error:
                raise DataError(f"entry {number}: {error}", path=self.path) from error
            collected.add(question, number)
        self.skipped = collected.skipped
        self.counts = collected.counts
        return QuestionSet(
            name=self.name,
            questions=collected.questions,
            match=self.match,
            averaging=self.averaging,
        )
