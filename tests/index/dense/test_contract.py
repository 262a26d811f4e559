"""What every dense variant promises. A new variant adds one entry to ``VARIANTS``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.dense.contract import DenseIndex, DenseSearcher, load_dense
from index.dense.exact import Exact
from index.dense.faiss_flat import FaissFlat
from index.dense.faiss_sqfp16 import FaissSqfp16
from spider.errors import ArtifactError, ConfigError
from spider.launch.verbs import options
from spider.progress import Progress
from spider.ranking import NO_PASSAGE, Hits, sort_hits

DIMENSION = 24
VARIANTS = [Exact(passages_at_once=37), FaissFlat(), FaissSqfp16()]


def test_every_variant_is_here() -> None:
    assert {index.variant for index in VARIANTS} == set(options("dense"))


def make_vectors(rows: int, seed: int, dimension: int = DIMENSION) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)


Build = Callable[[DenseIndex, np.ndarray, Path], DenseSearcher]


@pytest.fixture
def build(array_embeddings: Any) -> Build:
    """Return ``build(index, vectors, folder)``: build, save and open."""

    def make(index: DenseIndex, vectors: np.ndarray, folder: Path) -> DenseSearcher:
        folder.mkdir()
        with Progress(total=len(vectors), unit="passages", label="dense") as progress:
            details = index.build(array_embeddings(vectors), folder, progress)
        assert details["variant"] == index.variant
        return load_dense(folder, details)

    return make


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
def test_agrees_with_brute_force_after_saving(
    build: Build, index: DenseIndex, tmp_path: Path
) -> None:
    passages, questions = make_vectors(333, 0), make_vectors(7, 1)
    searcher = build(index, passages, tmp_path / "dense")
    assert (len(searcher), searcher.dimension) == (333, DIMENSION)
    assert_agree(searcher.search(questions, 20), brute_force(questions, passages, 20))


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_batches_beyond_512_equal_single_questions(
    build: Build, index: DenseIndex, tmp_path: Path
) -> None:
    searcher = build(index, make_vectors(64, 0), tmp_path / "dense")
    questions = make_vectors(515, 1)
    together = searcher.search(questions, 5)
    alone = [searcher.search(questions[row : row + 1], 5) for row in (0, 511, 512, 514)]
    for row, hits in zip((0, 511, 512, 514), alone, strict=True):
        np.testing.assert_allclose(together.scores[row], hits.scores[0], atol=1e-4)
        assert (together.positions[row] == hits.positions[0]).all()


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_equal_scores_come_in_ascending_position(
    build: Build, index: DenseIndex, tmp_path: Path
) -> None:
    passages = np.repeat(np.eye(4, dtype=np.float32), 5, axis=0)[::-1]
    searcher = build(index, passages, tmp_path / "dense")
    hits = searcher.search(np.array([[0, 1, 2, 0]], dtype=np.float32), 12)
    assert hits.positions[0, :10].tolist() == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert hits.scores[0].tolist() == [2] * 5 + [1] * 5 + [0] * 2


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_depth_beyond_the_corpus_takes_no_memory(
    build: Build, index: DenseIndex, tmp_path: Path
) -> None:
    searcher = build(index, make_vectors(3, 0), tmp_path / "dense")
    hits = searcher.search(make_vectors(2, 1), 10**9)
    assert hits.positions.shape == (2, 3)
    assert sorted(hits.positions[0].tolist()) == [0, 1, 2]


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_no_passages_and_no_questions(build: Build, index: DenseIndex, tmp_path: Path) -> None:
    empty = build(index, np.zeros((0, DIMENSION), np.float32), tmp_path / "empty")
    assert (empty.search(make_vectors(2, 1), 4).positions == NO_PASSAGE).all()
    some = build(index, make_vectors(9, 0), tmp_path / "some")
    assert some.search(np.zeros((0, DIMENSION), np.float32), 4).positions.shape == (0, 4)


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_builds_the_same_bytes(build: Build, index: DenseIndex, tmp_path: Path) -> None:
    vectors = make_vectors(50, 0)
    for name in ("one", "two"):
        build(index, vectors, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("index", VARIANTS, ids=lambda index: index.variant)
def test_refuses_other_dimensions_sizes_and_damage(
    build: Build, index: DenseIndex, tmp_path: Path
) -> None:
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
