"""The file of the faiss variants: written whole, mapped, and refused when damaged."""

import sys
from pathlib import Path

import numpy as np
import pytest

from index.dense.contract import load_dense
from index.dense.faiss_file import FILE, FaissSearcher, faiss_module
from spider.errors import ArtifactError, MissingDependencyError

faiss = pytest.importorskip("faiss")


def test_a_missing_faiss_names_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingDependencyError, match=r"spider-odqa\[cpu\]"):
        faiss_module()
    with pytest.raises(MissingDependencyError, match="dense=exact"):
        load_dense(tmp_path, {"variant": "faiss_flat"})


def test_damage_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"nonsense")
    details = {"variant": "faiss_flat", "passages": 1, "dimension": 2}
    with pytest.raises(ArtifactError, match="build the index again") as caught:
        load_dense(tmp_path, details)
    assert "\n" not in str(caught.value)


def test_ties_are_ordered_whatever_order_faiss_returns() -> None:
    class Unordered:
        d, ntotal = 2, 4

        def search(self, vectors: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
            scores = np.array([[5.0, 1.0, 1.0, 1.0]], dtype=np.float32)
            return scores.repeat(len(vectors), 0), np.array([[2, 3, 0, 1]]).repeat(len(vectors), 0)

    hits = FaissSearcher(Unordered()).search(np.ones((2, 2), dtype=np.float32), 6)
    assert hits.positions.tolist() == [[2, 0, 1, 3]] * 2
