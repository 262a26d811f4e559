"""A corpus of four passages, and runs over it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spider.artifacts.artifact import Artifact
from spider.artifacts.stage import Stage
from spider.corpus.corpus import Corpus
from spider.question import QuestionSet
from spider.ranking import pad_hits, save_hits

MakeRun = Callable[..., Artifact]


@pytest.fixture
def corpus(make_corpus: Any) -> Corpus:
    return make_corpus([("t", ["red fox", "blue whale", "red whale", "green fox"])])


@pytest.fixture
def make_run(tmp_path: Path, corpus: Corpus) -> MakeRun:
    """Return ``make_run(name, questions, {system: lists of positions}, label="", note="")``."""

    def make(
        name: str,
        questions: QuestionSet,
        systems: Mapping[str, list[list[int]]],
        *,
        label: str = "",
        note: str = "",
        depth: int = 4,
    ) -> Artifact:
        stage = Stage(
            verb="search",
            kind="run",
            output=tmp_path / name,
            config={"name": name},
            inputs={"corpus": corpus.artifact},
        )
        with stage.writing() as folder:
            (folder / "questions").mkdir()
            questions.save(folder / "questions")
            for system, lists in systems.items():
                rows = [(np.array(row), -np.arange(len(row), dtype=np.float32)) for row in lists]
                (folder / system).mkdir()
                save_hits(folder / system, pad_hits(rows, depth))
            details = {
                "systems": list(systems),
                "label": label,
                "depth": depth,
                "questions": questions.name,
                "fusion": None,
                "note": note,
            }
            return stage.finish(counts={}, details=details)

    return make
