"""CuratedTREC: tab-separated id, type, question and a regular expression of its answers."""

from pathlib import Path

from spider.errors import DataError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.settings import Execution
from spider.sources.text_files import fingerprint_files, read_tab_separated
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
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        name: str = "CuratedTREC",
        match: MatchMode = "regex",
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
        """Return the questions in file order under their ids, tagged with their type.

        Raises:
            DataError: a line does not have four columns, or its answer is not a regular expression.
        """
        questions = []
        for line, row in read_tab_separated(self.path, quoted=False):
            if len(row) != COLUMNS:
                raise DataError(
                    f"expected id, type, question and regular expression, got {len(row)} columns",
                    path=self.path,
                    line=line,
                )
            identity, kind, text, pattern = row
            try:
                AnswerPattern(pattern)
            except ValueError as error:
                raise DataError(
                    f"{error}: {pattern[:SHOWN]!r}", path=self.path, line=line
                ) from error
            questions.append(
                Question(id=identity, text=text, answers=(pattern,), tags={"type": kind})
            )
        return QuestionSet(
            name=self.name,
            questions=tuple(questions),
            match=self.match,
            averaging=self.averaging,
        )
