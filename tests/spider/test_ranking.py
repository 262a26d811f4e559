from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.errors import ArtifactError
from spider.ranking import (
    NO_PASSAGE,
    Hits,
    concatenate_hits,
    drop_excluded,
    load_hits,
    pad_hits,
    save_hits,
    sort_hits,
)


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


def listed(rows: list[list[int]], depth: int) -> Hits:
    return pad_hits(
        [(np.array(r, dtype=np.int64), -np.arange(len(r), dtype=np.float32)) for r in rows], depth
    )


def test_excluded_passages_are_dropped_and_the_rest_moves_up() -> None:
    hits = listed([[5, 3, 8, 1], [2, 7], [4, 5, 6, 7]], 4)
    left = drop_excluded(hits, [[3, 9], [], frozenset({5, 4})], 2)
    assert left.positions.tolist() == [[5, 8], [2, 7], [6, 7]]
    assert left.scores.tolist() == [[0, -2], [0, -1], [-2, -3]]


def test_what_is_dropped_leaves_padding_at_the_end() -> None:
    left = drop_excluded(listed([[5, 3]], 4), [[5]], 3)
    assert left.positions.tolist() == [[3, -1, -1]]
    assert left.scores.tolist() == [[-1, -np.inf, -np.inf]]
    again = drop_excluded(left, [[5]], 3)
    assert again.positions.tolist() == left.positions.tolist()


def test_nothing_to_drop_only_cuts() -> None:
    assert drop_excluded(listed([[5, 3, 2]], 3), [[]], 2).positions.tolist() == [[5, 3]]
    assert drop_excluded(listed([], 3), [], 2).positions.shape == (0, 2)


def test_a_long_list_keeps_its_order() -> None:
    order = np.random.default_rng(0).permutation(1000).tolist()
    left = drop_excluded(listed([order], 1000), [range(0, 1000, 3)], 1000)
    expected = [position for position in order if position % 3]
    assert left.positions[0].tolist() == expected + [NO_PASSAGE] * 334


def test_blocks_of_questions_are_put_below_one_another() -> None:
    joined = concatenate_hits([listed([[1, 2]], 3), listed([[4], []], 3)], 3)
    assert joined.positions.tolist() == [[1, 2, -1], [4, -1, -1], [-1, -1, -1]]
    assert joined.scores.dtype == np.float32
    assert concatenate_hits([], 3).positions.shape == (0, 3)
