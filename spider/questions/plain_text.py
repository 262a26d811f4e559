"""A text file with one question in each line."""

from pathlib import Path

from spider.question import Question, QuestionSet
from spider.settings import Execution
from spider.sources.text_files import fingerprint_files, read_text_lines


class PlainText:
    """Questions without answers: they can be searched and read, but not scored.

    Args:
        path: the file, plain or compressed; blank lines are skipped.
        name: as reports print it.
    """

    def __init__(self, *, path: Execution[Path | str], name: str = "questions"):
        self.path = Path(path).expanduser()
        self.name = name

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of the file."""
        return fingerprint_files([self.path])

    def read(self) -> QuestionSet:
        """Return the questions; an id is the number of its line, from 1.

        Raises:
            DataError: there is no such file, or it is not UTF-8.
        """
        questions = tuple(
            Question(id=str(line.number), text=line.text.strip())
            for line in read_text_lines(self.path)
            if line.text.strip()
        )
        return QuestionSet(name=self.name, questions=questions)
