"""DPR's ``*.qa.csv`` files: a question, a tab, a Python list of answers."""

import ast
from pathlib import Path

from spider.errors import DataError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.settings import Execution
from spider.sources.text_files import fingerprint_files, read_tab_separated

SHOWN = 60


class DprQa:
    """A question set in DPR's format.

    The fields are CSV-quoted. A split at the tabs alone would read 1,334 answer lists of TriviaQA
    dev as strings, and each of their characters as an answer. So anything but a list is an error.

    Args:
        path: the file, plain or compressed.
        name: as reports print it.
        match: ``regex`` for CuratedTREC's answers, which are regular expressions.
        averaging: micro, or macro over groups (this format has no groups).
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        name: str,
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
        """Return the questions in file order; ids count them from 0.

        Raises:
            DataError: a row does not have two columns, or its answers are not a list of strings.
        """
        questions: list[Question] = []
        for line, row in read_tab_separated(self.path):
            if len(row) != 2:
                raise DataError(
                    f"expected a question, a tab and a list of answers; got {len(row)} columns",
                    path=self.path,
                    line=line,
                )
            try:
                answers = parse_answers(row[1])
            except ValueError as error:
                raise DataError(str(error), path=self.path, line=line) from error
            questions.append(Question(id=str(len(questions)), text=row[0], answers=answers))
        return QuestionSet(
            name=self.name,
            questions=tuple(questions),
            match=self.match,
            averaging=self.averaging,
        )


def parse_answers(literal: str) -> tuple[str, ...]:
    """Parse a Python list of strings, without ever evaluating it.

    Raises:
        ValueError: it is something else, or empty.
    """
    shown = literal if len(literal) <= SHOWN else f"{literal[:SHOWN]}..."
    try:
        value = ast.literal_eval(literal.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"expected a Python list of answers, got {shown!r}") from error
    if not isinstance(value, list) or not value:
        raise ValueError(f"expected a list with at least one answer, got {shown!r}")
    wrong = [item for item in value if not isinstance(item, str)]
    if wrong:
        raise ValueError(f"expected a list of strings, got {wrong[0]!r} in {shown!r}")
    return tuple(value)
