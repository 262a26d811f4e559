from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.errors import ArtifactError
from spider.ranking import NO_PASSAGE, Hits, load_hits, pad_hits, save_hits, sort_hits


def test_rows_are_padded_and_cut() -> None:
    rows = [(np.array([4, 2, 9]), np.array([3.0, 2.0, 1.0])), (np.array([7]), np.array([5.0]))]
    hits = pad_hits(rows, 2)
    assert hits.positions.tolist() == [[4, 2], [7, NO_PASSAGE]]
    assert hits.scores.tolist() == [[3.0, 2.0], [5.0, -np.inf]]


@given(st.lists(st.tuples(st.integers(-1, 9), st.sampled_from([0.0, 1.0, 2.5])), max_size=8))
def test_sorting_agrees_with_a_plain_sort(pairs: list[tuple[int, float]]) -> None:
    hits = Hits(
        np.array([[p for p, _ in pairs]], dtype=np.int64),
        np.array([[s for _, s in pairs]], dtype=np.float32),
    )
    found = [(-s, p) for p, s in pairs if p != NO_PASSAGE]
    expected = [p for _, p in sorted(found)] + [NO_PASSAGE] * (len(pairs) - len(found))
    result = sort_hits(hits)
    assert result.positions[0].tolist() == expected
    assert np.all(np.diff(result.scores[0][: len(found)]) <= 0)


def test_saved_hits_load_equal(tmp_path: Path) -> None:
    hits = pad_hits([(np.array([1]), np.array([0.5]))], 3)
    save_hits(tmp_path, hits)
    loaded = load_hits(tmp_path)
    assert np.array_equal(loaded.positions, hits.positions)
    assert np.array_equal(loaded.scores, hits.scores)


def test_bad_hits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        load_hits(tmp_path)
    np.save(tmp_path / "positions.npy", np.zeros((1, 2), np.int64))
    np.save(tmp_path / "scores.npy", np.zeros((1, 3), np.float32))
    with pytest.raises(ArtifactError, match="differ in shape"):
        load_hits(tmp_path)
