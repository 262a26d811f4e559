"""Searching a bm25s index: selection, damaged files, and a missing stemmer."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.sparse.analyzers import load_analyzer
from index.sparse.bm25s_index import Bm25s, load
from index.sparse.bm25s_searcher import best_first
from spider.errors import ArtifactError, MissingDependencyError


@pytest.mark.parametrize("depth", [1, 3, 5, 6, 9])
def test_best_first_is_a_stable_sort_cut_off(depth: int) -> None:
    scores = np.array([2, 1, 3, 2, 2, 1], dtype=np.float32)
    positions, kept = best_first(np.arange(6) * 10, scores, depth)
    assert positions.tolist() == [20, 0, 30, 40, 10, 50][:depth]
    assert kept.tolist() == [3, 2, 2, 2, 1, 1][:depth]


def test_arrays_of_different_lengths_are_refused(passages: Any, tmp_path: Path) -> None:
    details = Bm25s().build(passages([("", "cat"), ("", "dog")]), tmp_path)
    np.save(tmp_path / "rows.npy", np.zeros(1, dtype=np.int32))
    with pytest.raises(ArtifactError, match="differ in length"):
        load(tmp_path, details)


def test_a_missing_stemmer_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spider.text.analysis.anserini", None)
    with pytest.raises(MissingDependencyError, match=r"spider-odqa\[bm25s\]"):
        load_analyzer("anserini")
