"""CuratedTREC: tab-separated id, type, question and a regular expression of its answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spider.errors import DataError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.questions.collection import QuestionCollector
from spider.settings import Execution
from spider.sources.formats.tab_separated import read_tab_separated
from spider.sources.text_files import fingerprint_files
from spider.text.answer_pattern import AnswerPattern

COLUMNS = 4
# characters of a pattern in a message
SHOWN = 80


class CuratedTrec:
    """CuratedTREC in the format of brmson/dataset-factoid-curated, without header or quoting.

    Args:
        path: the file, plain or compressed.
        name: as reports print it.
        match: its answers are regular expressions.
        averaging: micro over questions.
        keep_first: of the questions with one id, keep the first; otherwise a second one is an
            error.
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        name: str = "CuratedTREC",
        match: MatchMode = "regex",
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
        """Return the questions in file order under their ids, tagged with their type.

        Raises:
            DataError: a line is not an id, a type, a question and a regular expression, or two
                have one id.
        """
        collected = QuestionCollector(self.path, keep_first=self.keep_first)
        for line, row in read_tab_separated(self.path, columns=COLUMNS):
            identity, kind, text, pattern = row
            if not identity.strip() or not text.strip():
                raise DataError(
                    "blank id or question; expected id, type, question and regular expression",
                    path=self.path,
                    line=line,
                )
            try:
                AnswerPattern(pattern)
            except ValueError as error:
                raise DataError(
                    f"{error}: {pattern[:SHOWN]!r}", path=self.path, line=line
                ) from error
            collected.add(
                Question(id=identity, text=text, answers=(pattern,), tags={"type": kind}), line
            )
        self.skipped = collected.skipped
        self.counts = collected.counts
        return QuestionSet(
            name=self.name,
            questions=collected.questions,
            match=self.match,
            averaging=self.averaging,
        )
