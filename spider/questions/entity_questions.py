"""EntityQuestions: a folder with one JSON list for each relation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from spider.errors import DataError, SettingError
from spider.question import Averaging, MatchMode, Question, QuestionSet
from spider.questions.collection import QuestionCollector
from spider.questions.json_lists import answer_list, read_json_list
from spider.settings import Execution
from spider.sources.formats.fields import filled_field, find_field
from spider.sources.text_files import fingerprint_files


class EntityQuestions:
    """EntityQuestions, grouped by relation and averaged over relations first.

    Source: Sciavolino et al. 2021, "Simple Entity-Centric Questions Challenge Dense Retrievers".

    Args:
        path: the folder with ``P106.dev.json`` and so on.
        name: as reports print it.
        questions_per_relation: how many to draw from each relation; null takes all, which published
            numbers are on. A larger number keeps the questions of a smaller one and adds more.
        seed: decides which questions are drawn.
        match: what makes a passage a hit.
        averaging: macro averages over relations.

    Raises:
        ConfigError: questions_per_relation is below 1.
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        name: str = "EntityQuestions",
        questions_per_relation: int | None = None,
        seed: int = 0,
        match: MatchMode = "string",
        averaging: Averaging = "macro",
    ):
        if questions_per_relation is not None and questions_per_relation < 1:
            raise SettingError(
                "questions_per_relation", questions_per_relation, "at least 1, or null"
            )
        self.path = Path(path).expanduser()
        self.name = name
        self.questions_per_relation = questions_per_relation
        self.seed = seed
        self.match: MatchMode = match
        self.averaging: Averaging = averaging
        self.counts: Mapping[str, int] = {}
        self.skipped: Mapping[str, Any] = {}
        self._left_out = 0

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of each file."""
        return fingerprint_files(self._files())

    def read(self) -> QuestionSet:
        """Return the questions, relation by relation; ids are ``RELATION-NUMBER``.

        Raises:
            DataError: there is no such folder, or a file is malformed.
        """
        self._left_out = 0
        collected = QuestionCollector(self.path, unit="entry")
        for file in self._files():
            self._collect(file, collected)
        left_out = {"left_out_by_questions_per_relation": self._left_out} if self._left_out else {}
        self.skipped = collected.skipped
        self.counts = collected.counts | left_out
        return QuestionSet(
            name=self.name,
            questions=collected.questions,
            match=self.match,
            averaging=self.averaging,
        )

    def _files(self) -> list[Path]:
        files = sorted(self.path.glob("*.json")) if self.path.is_dir() else []
        if not files:
            raise DataError(
                "expected a folder with one JSON file for each relation, such as P106.dev.json",
                path=self.path,
            )
        return files

    def _collect(self, file: Path, collected: QuestionCollector) -> None:
        relation = file.name.partition(".")[0]
        records = read_json_list(file)
        drawn = self._draw(relation, len(records))
        self._left_out += len(records) - len(drawn)
        for number in drawn:
            record = records[number]
            try:
                text = filled_field(record, "question")
                answers = answer_list(find_field(record, "answers"))
            except ValueError as error:
                raise DataError(f"entry {number + 1}: {error}", path=file) from error
            name = f"{relation}-{number}"
            question = Question(id=name, text=text, answers=answers, group=relation)
            collected.add(question, number + 1, file=file)

    def _draw(self, relation: str, size: int) -> list[int]:
        # seeded by the relation's name, so that the other files do not change this draw
        order = np.random.default_rng([self.seed, crc32(relation.encode())]).permutation(size)
        return sorted(order[: self.questions_per_relation].tolist())
