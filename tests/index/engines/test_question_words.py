from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.engines.opening import open_index
from index.engines.question_words import SubjectRanker, settle_question_words
from index.fusion.weighted_sum import WeightedSum
from index.sparse.bm25s_index import Bm25s
from index.verbs.build import BuildSettings, main
from spider.artifacts.artifact import open_artifact
from spider.artifacts.records.index import IndexRecord
from spider.ranking import Hits


class Recorder:
    cut_questions = 2

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed = False

    def __len__(self) -> int:
        return 7

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        self.asked += questions
        shape = (len(questions), depth)
        return Hits(np.zeros(shape, np.int64), np.zeros(shape, np.float32))

    def close(self) -> None:
        self.closed = True


def test_bm25_gets_the_subject_alone() -> None:
    index = Recorder()
    ranker = SubjectRanker(index)
    found = ranker.search(["How do I read a file?", "open files"], 3)
    assert index.asked == ["read file?", "open files"]
    assert found.positions.shape == (2, 3)
    assert (len(ranker), ranker.cut_questions) == (7, 2)
    ranker.close()
    assert index.closed


@pytest.mark.parametrize(
    ("wanted", "sparse", "settled"),
    [
        (None, {"analyzer": "folded"}, "drop"),
        (None, {"analyzer": "anserini"}, "keep"),
        (None, None, "keep"),
        ("keep", {"analyzer": "folded"}, "keep"),
        ("drop", {"analyzer": "anserini"}, "drop"),
    ],
)
def test_the_analyzer_decides_unless_told(wanted: Any, sparse: Any, settled: str) -> None:
    assert settle_question_words(wanted, sparse) == settled


def test_an_index_records_the_choice_and_searches_by_it(undertaking: Any, tmp_path: Path) -> None:
    folder = undertaking.folder
    scores = {}
    for wanted in (None, "keep"):
        settings = BuildSettings(
            corpus=folder / "corpus",
            sparse=Bm25s(),
            fusion=WeightedSum(),
            question_words=wanted,  # type: ignore[arg-type]
            output=tmp_path / str(wanted),
        )
        main(settings)
        record = IndexRecord.from_manifest(open_artifact(settings.output))
        assert record.question_words == (wanted or "drop")
        with open_index(settings.output, corpus=folder / "corpus") as index:
            texts = ["Where was the otter in the reeds?", "otter reeds"]
            scores[wanted] = index.search(texts, 1).scores[:, 0]
    assert scores[None][0] == scores[None][1]
    assert scores["keep"][0] >= scores["keep"][1]
