"""Queries and relevance judgements of a BEIR data set."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spider.errors import DataError, SettingError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.questions.collection import QuestionCollector
from spider.settings import Execution
from spider.sources.beir_files import fingerprint_beir, open_beir_file
from spider.sources.formats.fields import filled_field, id_field
from spider.sources.text_files import parse_json_lines, read_lines


class BeirQuestions:
    """Judged queries of a BEIR data set; a passage is a hit when it is judged relevant.

    The corpus is prepared with ``spider.sources.beir``. With ``split=false`` the judgements name
    its passages. With ``split=true`` they name documents, and any passage of one is a hit.

    Args:
        path: the data set, a folder or a zip.
        name: as reports print it.
        split: which judgements to take, ``qrels/SPLIT.tsv``.
        minimum_score: a passage with a lower score is not relevant. nDCG takes the score itself
            as gain.
        drop_own: drop the document with the query's own id from its lists, as BEIR's own
            evaluation does: the queries of ArguAna and Quora are documents of the corpus. A
            document that is judged relevant to the query of its own id stays.
        match: always by passage id.
        averaging: micro over questions.
        keep_first: of the queries with one id, keep the first; otherwise a second one is an error.
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        name: str,
        split: str = "test",
        minimum_score: int = 1,
        drop_own: bool = True,
        match: MatchMode = "passage",
        averaging: Averaging = "micro",
        keep_first: bool = False,
    ):
        if match != "passage":
            raise SettingError("match", match, "passage: the queries of BEIR have no answers")
        self.path = Path(path).expanduser()
        self.name = name
        self.split = split
        self.minimum_score = minimum_score
        self.drop_own = drop_own
        self.match: MatchMode = match
        self.averaging: Averaging = averaging
        self.keep_first = keep_first
        self.counts: Mapping[str, int] = {}
        self.skipped: Mapping[str, Any] = {}

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of the zip or the two files."""
        return fingerprint_beir(self.path, ("queries.jsonl", f"qrels/{self.split}.tsv"))

    def read(self) -> QuestionSet:
        """Return the queries that have a relevant passage, in the order of ``queries.jsonl``.

        Judged queries of which no passage is relevant, or that ``queries.jsonl`` lacks, are
        counted.

        Raises:
            DataError: a file is missing, or a line is malformed.
        """
        grades = self._judgements()
        collected = QuestionCollector(self.path / "queries.jsonl", keep_first=self.keep_first)
        found = set()
        with open_beir_file(self.path, "queries.jsonl") as (stream, name):
            for line, record in parse_json_lines(stream, name):
                try:
                    identity = id_field(record, "_id")
                    if identity not in grades:
                        continue
                    text = filled_field(record, "text")
                except ValueError as error:
                    raise DataError(str(error), path=name, line=line) from error
                found.add(identity)
                question = self._question(identity, text, grades[identity])
                if question.relevant:
                    collected.add(question, line)
                else:
                    collected.skip("query_without_relevant_passage", line)
        absent = len(grades.keys() - found)
        self.skipped = collected.skipped
        self.counts = collected.counts | ({"skipped_query_not_in_file": absent} if absent else {})
        return QuestionSet(
            name=self.name,
            questions=collected.questions,
            match=self.match,
            averaging=self.averaging,
        )

    def _question(self, identity: str, text: str, grades: Mapping[str, int]) -> Question:
        relevant = tuple(name for name, grade in grades.items() if grade >= self.minimum_score)
        return Question(
            id=identity,
            text=text,
            relevant=relevant,
            # most data sets have grade 1 alone, which need not be stored
            grades=grades if set(grades.values()) != {1} else {},
            excluded=(identity,) if self.drop_own and identity not in relevant else (),
        )

    def _judgements(self) -> dict[str, dict[str, int]]:
        """Return the grade of every judged passage of each query."""
        grades: dict[str, dict[str, int]] = defaultdict(dict)
        lines: dict[tuple[str, str], int] = {}
        with open_beir_file(self.path, f"qrels/{self.split}.tsv") as (stream, name):
            for line, text in read_lines(stream, name):
                cells = text.split("\t")
                if (line == 1 and cells[-1] == "score") or not text.strip():
                    continue
                if len(cells) != 3 or not re.fullmatch(r"\s*-?[0-9]{1,9}(\.0*)?\s*", cells[2]):
                    raise DataError(
                        f"expected query id, passage id and a whole score, got {text[:60]!r}",
                        path=name,
                        line=line,
                    )
                query, passage, grade = cells[0], cells[1], int(float(cells[2]))
                first = lines.setdefault((query, passage), line)
                if grades[query].setdefault(passage, grade) != grade:
                    raise DataError(
                        f"passage {passage!r} of query {query!r} has the score {grade}, and "
                        f"{grades[query][passage]} in line {first}; delete one of the lines",
                        path=name,
                        line=line,
                    )
        return grades
