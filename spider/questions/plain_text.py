"""A text file with one question in each line, or with an id and a question."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spider.errors import DataError
from spider.question import Question, QuestionSet, is_blank
from spider.questions.collection import QuestionCollector
from spider.settings import Execution
from spider.sources.text_files import TextLine, fingerprint_files, read_text_lines

TAB = "\t"


class PlainText:
    """Questions without answers: they can be searched and read, but not scored.

    Where every line holds one tab, the file is one of topics: an id, a tab and the question, as
    MS MARCO and TREC write them. A file with a tab in some lines is refused.

    Args:
        path: the file, plain or compressed; blank lines are skipped.
        name: as reports print it.
        keep_first: of the topics with one id, keep the first; otherwise a second one is an error.
    """

    def __init__(
        self, *, path: Execution[Path | str], name: str = "questions", keep_first: bool = False
    ):
        self.path = Path(path).expanduser()
        self.name = name
        self.keep_first = keep_first
        self.counts: Mapping[str, int] = {}
        self.skipped: Mapping[str, Any] = {}

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of the file."""
        return fingerprint_files([self.path])

    def read(self) -> QuestionSet:
        """Return the questions; an id is that of the topic, else the number of the line, from 1.

        Raises:
            DataError: there is no such file, it is not UTF-8, or some lines hold a tab.
        """
        lines = [line for line in read_text_lines(self.path) if line.text.strip()]
        topics = bool(lines) and _is_topic(lines[0].text)
        collected = QuestionCollector(self.path, keep_first=self.keep_first)
        for line in lines:
            if topics:
                question = self._topic(line)
            elif _is_topic(line.text):
                raise self._refusal(line, "expected a question without a tab, as in the first line")
            else:
                question = Question(id=str(line.number), text=line.text.strip())
            collected.add(question, line.number)
        self.skipped = collected.skipped
        self.counts = collected.counts | {"topics": len(collected)} if topics else collected.counts
        return QuestionSet(name=self.name, questions=collected.questions)

    def _topic(self, line: TextLine) -> Question:
        identity, tab, text = line.text.partition(TAB)
        one_word = len(identity.split()) == 1 and not identity.rstrip().endswith("?")
        if not tab or is_blank(text) or TAB in text.strip() or not one_word:
            raise self._refusal(line, "expected an id of one word, a tab and a question")
        return Question(id=identity.strip(), text=text.strip())

    def _refusal(self, line: TextLine, expected: str) -> DataError:
        return DataError(
            f"{expected}, got {line.text[:60]!r}; question_set=dpr_qa reads a question, a tab and "
            "a list of answers",
            path=self.path,
            line=line.number,
        )


def _is_topic(line: str) -> bool:
    """Return whether a line holds a tab between two texts, or after one word."""
    return TAB in line.strip() or (TAB in line.lstrip() and len(line.split()) == 1)
