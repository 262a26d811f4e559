"""Queries and relevance judgements of a BEIR data set."""

from collections import defaultdict
from pathlib import Path

from spider.errors import DataError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.settings import Execution
from spider.sources.beir_files import fingerprint_beir, open_beir_file
from spider.sources.jsonl import string_field
from spider.sources.text_files import parse_json_lines, read_lines


class BeirQuestions:
    """Judged queries of a BEIR data set; a passage is a hit when it is judged relevant.

    The corpus has to be prepared with ``spider.sources.beir`` and ``split=false``, so that the
    judgements' ids are passage ids.

    Args:
        path: the data set, a folder or a zip.
        name: as reports print it.
        split: which judgements to take, ``qrels/SPLIT.tsv``.
        minimum_score: a passage with a lower score is not relevant.
        match: always by passage id.
        averaging: micro over questions.
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        name: str,
        split: str = "test",
        minimum_score: int = 1,
        match: MatchMode = "passage",
        averaging: Averaging = "micro",
    ):
        self.path = Path(path).expanduser()
        self.name = name
        self.split = split
        self.minimum_score = minimum_score
        self.match: MatchMode = match
        self.averaging: Averaging = averaging

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of the zip or the two files."""
        return fingerprint_beir(self.path, ("queries.jsonl", f"qrels/{self.split}.tsv"))

    def read(self) -> QuestionSet:
        """Return the queries that have a relevant passage, in the order of ``queries.jsonl``.

        Raises:
            DataError: a file is missing, or a line is malformed.
        """
        relevant = self._judgements()
        questions = []
        with open_beir_file(self.path, "queries.jsonl") as (stream, name):
            for line, record in parse_json_lines(stream, name):
                try:
                    identity = string_field(record, "_id")
                    text = string_field(record, "text")
                except ValueError as error:
                    raise DataError(str(error), path=name, line=line) from error
                if identity in relevant:
                    ids = tuple(relevant[identity])
                    questions.append(Question(id=identity, text=text, relevant=ids))
        return QuestionSet(
            name=self.name,
            questions=tuple(questions),
            match=self.match,
            averaging=self.averaging,
        )

    def _judgements(self) -> dict[str, list[str]]:
        relevant: dict[str, list[str]] = defaultdict(list)
        with open_beir_file(self.path, f"qrels/{self.split}.tsv") as (stream, name):
            for line, text in read_lines(stream, name):
                cells = text.split("\t")
                if line == 1 and cells[-1] == "score":
                    continue
                if len(cells) != 3 or not cells[2].strip().lstrip("-").isdigit():
                    raise DataError(
                        f"expected query id, passage id and a whole score, got {text[:60]!r}",
                        path=name,
                        line=line,
                    )
                if int(cells[2]) >= self.minimum_score:
                    relevant[cells[0]].append(cells[1])
        return relevant
