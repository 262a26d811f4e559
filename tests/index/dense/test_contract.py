"""Every dense variant against brute force, and the engines against their NumPy twin."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from index.dense.contract import DenseIndex, DenseSearcher, load_dense
from index.dense.exact import Exact, ExactSearcher
from index.dense.faiss_flat import FaissFlat
from index.dense.faiss_sqfp16 import FaissSqfp16
from index.score_keys import best, pack, unpack
from spider.errors import ArtifactError, ConfigError, MissingDependencyError
from spider.progress import Progress
from spider.ranking import NO_PASSAGE, Hits, sort_hits

DIMENSION = 24
VARIANTS = [Exact(passages_at_once=37), FaissFlat(), FaissSqfp16()]


class ArrayEmbeddings:
    def __init__(self, vectors: np.ndarray, block: int = 100):
        self.vectors = vectors.astype(np.float16)
        self.block = block

    @property
    def dimension(self) -> int:
        return self.vectors.shape[1]

    def __len__(self) -> int:
        return len(self.vectors)

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, len(self), self.block):
            yield start, self.vectors[start : start + self.block]


def make_vectors(rows: int, seed: int, dimension: int = DIMENSION) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)


def build(index: DenseIndex, vectors: np.ndarray, folder: Path) -> DenseSearcher:
    folder.mkdir()
    with Progress(total=len(vectors), unit="passages", label="dense") as progress:
        details = index.build(ArrayEmbeddings(vectors), folder, progress)
    assert details["variant"] == index.variant
    return load_dense(folder, details)


def brute_force(questions: np.ndarray, passages: np.ndarray, depth: int) -> Hits:
    scores = questions @ passages.astype(np.float16).astype(np.float32).T
    positions = np.broadcast_to(np.arange(len(passages)), scores.shape).astype(np.int64)
    ranked = sort_hits(Hits(positions, scores))
    return Hits(ranked.positions[:, :depth], ranked.scores[:, :depth])


def assert_agree(got: Hits, expected: Hits, gap: float = 1e-4) -> None:
    np.testing.assert_allclose(got.scores, expected.scores, atol=gap)
    clear = np.ones(expected.scores.shape, dtype=bool)
    near = np.abs(np.diff(expected.scores, axis=1)) <= gap
    clear[:, 1:] &= ~near
    clear[:, :-1] &= ~near
    clear[:, -1] = False  # its rival lies beyond the list
    assert clear.mean() > 0.8
    assert (got.positions[clear] == expected.positions[clear]).all()


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_agrees_with_brute_force_after_saving(index: DenseIndex, tmp_path: Path) -> None:
    passages, questions = make_vectors(333, 0), make_vectors(7, 1)
    searcher = build(index, passages, tmp_path / "dense")
    assert (len(searcher), searcher.dimension) == (333, DIMENSION)
    assert_agree(searcher.search(questions, 20), brute_force(questions, passages, 20))


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_batches_beyond_512_equal_single_questions(index: DenseIndex, tmp_path: Path) -> None:
    searcher = build(index, make_vectors(64, 0), tmp_path / "dense")
    questions = make_vectors(515, 1)
    together = searcher.search(questions, 5)
    alone = [searcher.search(questions[row : row + 1], 5) for row in (0, 511, 512, 514)]
    for row, hits in zip((0, 511, 512, 514), alone, strict=True):
        np.testing.assert_allclose(together.scores[row], hits.scores[0], atol=1e-4)
        assert (together.positions[row] == hits.positions[0]).all()


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_equal_scores_come_in_ascending_position(index: DenseIndex, tmp_path: Path) -> None:
    passages = np.repeat(np.eye(4, dtype=np.float32), 5, axis=0)[::-1]
    searcher = build(index, passages, tmp_path / "dense")
    hits = searcher.search(np.array([[0, 1, 2, 0]], dtype=np.float32), 12)
    assert hits.positions[0, :10].tolist() == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert hits.scores[0].tolist() == [2] * 5 + [1] * 5 + [0] * 2


def test_exact_keeps_the_lowest_positions_of_a_tie_at_the_end() -> None:
    searcher = ExactSearcher(np.ones((50, 3), dtype=np.float16), passages_at_once=7)
    hits = searcher.search(np.ones((1, 3), dtype=np.float32), 9)
    assert hits.positions[0].tolist() == list(range(9))


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_depth_beyond_the_corpus_is_padded(index: DenseIndex, tmp_path: Path) -> None:
    searcher = build(index, make_vectors(3, 0), tmp_path / "dense")
    hits = searcher.search(make_vectors(2, 1), 10)
    assert hits.positions.shape == (2, 10)
    assert sorted(hits.positions[0, :3].tolist()) == [0, 1, 2]
    assert (hits.positions[:, 3:] == NO_PASSAGE).all()
    assert np.isneginf(hits.scores[:, 3:]).all()


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_no_passages_and_no_questions(index: DenseIndex, tmp_path: Path) -> None:
    empty = build(index, np.zeros((0, DIMENSION), np.float32), tmp_path / "empty")
    assert (empty.search(make_vectors(2, 1), 4).positions == NO_PASSAGE).all()
    some = build(index, make_vectors(9, 0), tmp_path / "some")
    assert some.search(np.zeros((0, DIMENSION), np.float32), 4).positions.shape == (0, 4)


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_builds_the_same_bytes(index: DenseIndex, tmp_path: Path) -> None:
    vectors = make_vectors(50, 0)
    for name in ("one", "two"):
        build(index, vectors, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_refuses_other_dimensions_sizes_and_damage(index: DenseIndex, tmp_path: Path) -> None:
    searcher = build(index, make_vectors(9, 0), tmp_path / "dense")
    with pytest.raises(ArtifactError, match=f"dimension 5, the index has {DIMENSION}"):
        searcher.search(make_vectors(1, 0, dimension=5), 3)
    with pytest.raises(ConfigError, match="depth 0"):
        searcher.search(make_vectors(1, 0), 0)
    details = {"variant": index.variant, "passages": 10, "dimension": DIMENSION}
    if index.variant == "exact":
        details["passages_at_once"] = 8
    with pytest.raises(ArtifactError, match="holds 9 vectors"):
        load_dense(tmp_path / "dense", details)
    for file in (tmp_path / "dense").iterdir():
        file.write_bytes(b"nonsense")
    with pytest.raises(ArtifactError):
        load_dense(tmp_path / "dense", details)


def test_unknown_variants_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no dense variant 'hologram'"):
        load_dense(tmp_path, {"variant": "hologram"})
    with pytest.raises(ArtifactError, match="no dense variant"):
        load_dense(tmp_path, {"variant": "os.path"})


def test_a_missing_faiss_names_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(MissingDependencyError, match=r"spider-odqa\[cpu\]"):
        load_dense(tmp_path, {"variant": "faiss_flat"})


def test_keys_keep_the_order_of_scores_and_positions() -> None:
    scores = np.array([[-2.5, -0.0, 0.0, 1e-30, 3.0, 3.0, -1e30]], dtype=np.float32)
    positions = np.array([[5, 8, 9, 0, 2, 1, NO_PASSAGE]], dtype=np.int64)
    hits = unpack(pack(scores, positions), 8)
    assert hits.positions.tolist() == [[1, 2, 0, 8, 9, 5, NO_PASSAGE, NO_PASSAGE]]
    assert hits.scores.tolist() == [
        [3.0, 3.0, float(np.float32(1e-30)), 0.0, 0.0, -2.5, -np.inf, -np.inf]
    ]
    assert best(pack(scores, positions), 3).shape == (1, 3)
