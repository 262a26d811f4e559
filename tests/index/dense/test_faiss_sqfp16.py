"""The scalar quantizer: two bytes for each number, which float16 embeddings fill exactly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.dense.faiss_sqfp16 import FaissSqfp16, load
from spider.progress import Progress

faiss = pytest.importorskip("faiss")


def test_the_codes_are_the_embeddings(array_embeddings: Any, tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(7, 6)).astype(np.float16)
    with Progress(total=7, unit="passages", label="dense") as progress:
        details = FaissSqfp16().build(array_embeddings(vectors), tmp_path, progress)
    stored = faiss.read_index(str(tmp_path / "index.faiss"))
    assert stored.code_size == 6 * FaissSqfp16.bytes_per_value
    np.testing.assert_array_equal(stored.reconstruct_n(0, 7), vectors.astype(np.float32))
    one_hot = np.eye(6, dtype=np.float32)[:1]
    hits = load(tmp_path, details).search(one_hot, 1)
    assert hits.positions[0, 0] == vectors[:, 0].argmax()
    assert hits.scores[0, 0] == vectors[:, 0].max()
