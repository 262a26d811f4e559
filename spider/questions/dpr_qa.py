"""DPR's ``*.qa.csv`` files: a question, a tab, a Python list of answers."""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spider.errors import DataError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.questions.collection import QuestionCollector
from spider.settings import Execution
from spider.sources.formats.tab_separated import read_tab_separated
from spider.sources.text_files import fingerprint_files

SHOWN = 60


class DprQa:
    """A question set in DPR's format.

    DPR's own files are CSV-quoted. A split at the tabs alone would read 1,334 answer lists of
    TriviaQA dev as strings, and each of their characters as an answer. So anything but a list is an
    error.

    Args:
        path: the file, plain or compressed.
        name: as reports print it.
        match: ``regex`` for CuratedTREC's answers, which are regular expressions.
        averaging: micro, or macro over groups (this format has no groups).
        quoted: whether the fields are CSV-quoted; null finds out, and then a field that does not
            close its quotes at its end keeps its marks.
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        name: str,
        match: MatchMode = "string",
        averaging: Averaging = "micro",
        quoted: bool | None = None,
    ):
        self.path = Path(path).expanduser()
        self.name = name
        self.match: MatchMode = match
        self.averaging: Averaging = averaging
        self.quoted = quoted
        self.counts: Mapping[str, int] = {}
        self.skipped: Mapping[str, Any] = {}

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of the file."""
        return fingerprint_files([self.path])

    def read(self) -> QuestionSet:
        """Return the questions in file order; ids count them from 0.

        Raises:
            DataError: a row is not a question and a list of strings.
        """
        collected = QuestionCollector(self.path)
        rows = read_tab_separated(self.path, columns=2, quoted=self.quoted)
        for number, (line, row) in enumerate(rows):
            if not row[0].strip():
                raise DataError(
                    "blank question; expected a question, a tab and a list of answers",
                    path=self.path,
                    line=line,
                )
            try:
                answers = parse_answers(row[1])
            except ValueError as error:
                raise DataError(str(error), path=self.path, line=line) from error
            collected.add(Question(id=str(number), text=row[0], answers=answers), line)
        self.skipped = collected.skipped
        self.counts = collected.counts
        return QuestionSet(
            name=self.name,
            questions=collected.questions,
            match=self.match,
            averaging=self.averaging,
        )


def parse_answers(literal: str) -> tuple[str, ...]:
    """Parse a Python list of strings, without ever evaluating it; an empty one has no answer.

    Raises:
        ValueError: it is something else.
    """
    shown = literal if len(literal) <= SHOWN else f"{literal[:SHOWN]}..."
    try:
        value = ast.literal_eval(literal.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"expected a Python list of answers, got {shown!r}") from error
    if not isinstance(value, list):
        raise ValueError(f"expected a list of answers, got {shown!r}")
    wrong = [item for item in value if not isinstance(item, str)]
    if wrong:
        raise ValueError(f"expected a list of strings, got {wrong[0]!r} in {shown!r}")
    return tuple(value)
