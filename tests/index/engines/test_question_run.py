"""A run over a fake engine: its files, its counts, and that finished blocks are kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.engines import question_run
from index.engines.opening import OpenIndex
from index.engines.question_run import BLOCKS, QUESTIONS, write_run
from spider.errors import DataError
from spider.question import Question, QuestionSet, load_question_set
from spider.ranking import Hits, load_hits


class FakeEngine:
    """Finds for each question the passage whose number is its text, if it is not excluded."""

    systems = ("bm25",)
    cut_questions = 0

    def __init__(self) -> None:
        self.blocks: list[int] = []

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        raise AssertionError("a run asks for rankings")

    def rankings(
        self, questions: Sequence[str], depth: int, *, systems: Any, excluded: Any = None
    ) -> dict[str, Hits]:
        self.blocks.append(len(questions))
        positions = np.full((len(questions), depth), -1)
        scores = np.full((len(questions), depth), -np.inf, dtype=np.float32)
        for row, (text, dropped) in enumerate(zip(questions, excluded, strict=True)):
            if int(text) not in dropped:
                positions[row, 0], scores[row, 0] = int(text), 1.0
        return {system: Hits(positions, scores) for system in systems}

    def search_with_shares(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("a run needs no shares")

    def close(self) -> None:
        pass


@pytest.fixture
def index(make_corpus: Any) -> OpenIndex:
    corpus = make_corpus([("t", [f"passage {number}" for number in range(7)])])
    return OpenIndex(artifact=corpus.artifact, corpus=corpus, engine=FakeEngine())


def questions(*excluded: str) -> QuestionSet:
    asked = tuple(Question(id=f"q{n}", text=str(n)) for n in range(6))
    last = Question(id="q6", text="6", excluded=excluded)
    return QuestionSet(name="seven", questions=(*asked, last))


def test_files_and_counts(
    index: OpenIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(question_run, "BLOCK", 3)
    (tmp_path / "run").mkdir()
    asked = questions("d0#6", "d0#0")
    counts = write_run(tmp_path / "run", index, asked, ["bm25"], 2)
    assert index.engine.blocks == [3, 3, 1]
    assert counts == {"questions": 7, "excluded_passages": 2, "bm25_passages": 6}
    hits = load_hits(tmp_path / "run" / "bm25")
    assert hits.positions.tolist() == [[n, -1] for n in range(6)] + [[-1, -1]]
    assert load_question_set(tmp_path / "run" / QUESTIONS) == asked
    # blocks that are whole are not searched again
    write_run(tmp_path / "run", index, asked, ["bm25"], 2)
    assert index.engine.blocks == [3, 3, 1]
    assert (tmp_path / "run" / BLOCKS).is_dir()


def test_judgements_of_another_corpus_are_refused_before_anything_is_searched(
    index: OpenIndex, tmp_path: Path
) -> None:
    asked = Question(id="q", text="?", relevant=("nowhere",))
    question_set = QuestionSet(name="s", questions=(asked,), match="passage")
    with pytest.raises(DataError, match="nowhere"):
        write_run(tmp_path, index, question_set, ["bm25"], 2)
    assert index.engine.blocks == []
