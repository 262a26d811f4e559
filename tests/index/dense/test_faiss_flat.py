"""The flat index: float32 in the file, so nothing is rounded."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.dense.faiss_flat import FaissFlat, load
from spider.progress import Progress

faiss = pytest.importorskip("faiss")


def test_the_file_is_a_flat_index_of_exact_inner_products(
    array_embeddings: Any, tmp_path: Path
) -> None:
    vectors = np.array([[1.0, 0.5], [-2.0, 0.25], [0.0, 3.0]])
    with Progress(total=3, unit="passages", label="dense") as progress:
        details = FaissFlat().build(array_embeddings(vectors), tmp_path, progress)
    stored = faiss.read_index(str(tmp_path / "index.faiss"))
    assert isinstance(stored, faiss.IndexFlatIP)
    assert details == {"variant": "faiss_flat", "passages": 3, "dimension": 2}
    hits = load(tmp_path, details).search(np.array([[1.0, 2.0]], dtype=np.float32), 3)
    assert hits.positions.tolist() == [[2, 0, 1]]
    assert hits.scores.tolist() == [[6.0, 2.0, -1.5]]
