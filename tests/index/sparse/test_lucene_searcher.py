"""Lucene's searcher: threads, errors, and Java's exceptions in one line."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.sparse.lucene import Lucene, load
from index.sparse.lucene_searcher import LuceneIndex, java_errors, open_searcher
from spider.errors import ArtifactError

pytestmark = [pytest.mark.jvm, pytest.mark.usefixtures("jvm")]
ANIMALS = ["otter", "badger", "lynx", "marten", "adder", "newt", "heron"]


@pytest.fixture
def index(passages: Any, tmp_path: Path) -> Any:
    pairs = [
        ("", f"the {animal} {animal if n % 2 else 'wood'}") for n, animal in enumerate(ANIMALS)
    ]
    engine = Lucene(heap="512m", threads=3)
    opened = load(tmp_path / "index", engine.build(passages(pairs), tmp_path / "index"))
    yield opened
    opened.close()


def test_threads_keep_the_order_of_the_questions(index: LuceneIndex) -> None:
    assert index.threads == 3
    questions = ANIMALS * 5
    together = index.search(questions, 2)
    assert together.positions[:, 0].tolist() == [*range(7)] * 5
    for row in (0, 4, 17):
        alone = index.search(questions[row : row + 1], 2)
        np.testing.assert_array_equal(alone.scores[0], together.scores[row])


def test_an_error_in_a_thread_is_the_callers(
    index: LuceneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(question: str, depth: int) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(index, "_search_one", broken)
    with pytest.raises(OSError, match="the disk is gone"):
        index.search(ANIMALS, 2)


def test_what_java_throws_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught, java_errors("opening", tmp_path):
        open_searcher(tmp_path / "nothing", 0.9, 0.4)
    assert str(caught.value).startswith(f"{tmp_path}: opening with Lucene failed: ")
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: full)
    with pytest.raises(OSError, match="No space left on device"), java_errors("opening", tmp_path):
        open_searcher(tmp_path / "nothing", 0.9, 0.4)
