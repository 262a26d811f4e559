"""Queries and relevance judgements of a BEIR data set."""

import re
from collections import defaultdict
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from spider.errors import DataError, SettingError
from spider.printable import counted
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
            evaluation does (``ignore_identical_ids``): the queries of ArguAna and Quora are
            documents of the corpus. Where that document is judged relevant, it counts as not found.
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
            DataError: a file is missing, a line is malformed, or no query has a relevant passage.
        """
        grades = self._judgements()
        collected = QuestionCollector(self.path / "queries.jsonl", keep_first=self.keep_first)
        found = set()
        own = 0
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
                    own += self.drop_own and identity in question.relevant
                else:
                    collected.skip("query_without_relevant_passage", line)
        if grades and not collected.questions:
            raise self._nothing_relevant(grades, found)
        further = {
            "skipped_query_not_in_file": len(grades.keys() - found),
            "queries_whose_own_relevant_document_is_dropped": own,
        }
        self.skipped = collected.skipped
        self.counts = collected.counts | {name: n for name, n in further.items() if n}
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
            excluded=(identity,) if self.drop_own else (),
        )

    def _nothing_relevant(
        self, grades: Mapping[str, Mapping[str, int]], found: Set[str]
    ) -> DataError:
        """Return the error about judgements that leave no question."""
        path = self.path / f"qrels/{self.split}.tsv"
        if not found:
            first = next(iter(grades))
            return DataError(
                f"none of its {counted(len(grades), 'query', 'queries')} is in queries.jsonl (such "
                f"as {first!r}); expected judgements of these queries",
                path=path,
            )
        highest = max(grade for query in found for grade in grades[query].values())
        fix = "question_set.split=NAME reads other judgements"
        if highest > 0:
            fix = f"question_set.minimum_score={highest} takes the highest"
        return DataError(
            f"no passage has a score of {self.minimum_score} or more; the highest is {highest}, so "
            f"no query has a relevant passage; {fix}",
            path=path,
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
