"""What every sparse engine promises: the formula, ties, edges, and agreement with each other.

A new engine adds one entry to ``ENGINES``. Each runs with each analyzer.
"""

import math
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import get_args

import numpy as np
import pytest

from index.sparse import analyzers, lucene_searcher
from index.sparse.analyzers import AnalyzerName
from index.sparse.bm25s_index import Bm25s
from index.sparse.contract import SparseEngine, SparseIndex, load_made_with, load_sparse
from index.sparse.lucene import Lucene
from spider.errors import ArtifactError
from spider.launch.verbs import options
from spider.progress import Progress
from spider.ranking import NO_PASSAGE

THREE = [("Cats", "cat dog cat"), ("Dogs", "dog bird"), ("Fish", "fish eat fish eat bird cat")]
OTHER_SCRIPTS = [
    ("", "中国的首都是北京。长江流入东海。"),
    ("", "東京は日本の首都である。"),
    ("", "서울은 대한민국의 수도이다."),
    ("", "กรุงเทพเป็นเมืองหลวงของประเทศไทย"),
    ("", "L’école du musée, O’Brien’s oﬃce, Ｍodel ９"),
    ("", "المدينة القديمة في الشمال"),
]
K1, B = 0.9, 0.4


ENGINES: dict[str, Callable[[AnalyzerName], SparseEngine]] = {
    "bm25s": lambda analyzer: Bm25s(k1=K1, b=B, analyzer=analyzer),
    "lucene": lambda analyzer: Lucene(k1=K1, b=B, heap="512m", analyzer=analyzer),
}
MARKS = {"lucene": pytest.mark.jvm}
ANALYZERS = get_args(AnalyzerName)


@pytest.fixture(params=ANALYZERS)
def analyzer(request: pytest.FixtureRequest) -> AnalyzerName:
    name: AnalyzerName = request.param
    return name


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, ())) for name in ENGINES])
def engine(request: pytest.FixtureRequest, analyzer: AnalyzerName) -> SparseEngine:
    if request.param == "lucene":
        request.getfixturevalue("jvm")
    return ENGINES[request.param](analyzer)


@pytest.fixture
def opened(engine: SparseEngine, passages, tmp_path: Path):
    indexes: list[SparseIndex] = []

    def build(pairs, name: str = "sparse") -> SparseIndex:
        details = engine.build(passages(pairs), tmp_path / name)
        indexes.append(load_sparse(tmp_path / name, details))
        return indexes[-1]

    yield build
    for index in indexes:
        index.close()


def test_every_engine_is_here() -> None:
    # auto chooses one of the others
    assert set(ENGINES) == set(options("sparse")) - {"auto"}


def share(tf: int, df: int, length: int, passages: int = 3, average: float = 14 / 3) -> float:
    """One term's BM25, Lucene 8 and later: without the factor k1 + 1."""
    idf = math.log(1 + (passages - df + 0.5) / (df + 0.5))
    return idf * tf / (tf + K1 * (1 - B + B * length / average))


def test_the_formula_by_hand(opened) -> None:
    # lengths with the title: cat cat dog cat = 4, dog dog bird = 3, fish fish eat fish eat ... = 7
    index = opened(THREE)
    hits = index.search(["cats dogs dog", "the", "unheard-of", "bird"], 3)
    cat_dog = [
        share(3, 2, 4) + 2 * share(1, 2, 4),
        2 * share(2, 2, 3),
        share(1, 2, 7),
    ]
    order = np.argsort(cat_dog)[::-1]
    assert hits.positions[0].tolist() == order.tolist()
    np.testing.assert_allclose(hits.scores[0], np.sort(cat_dog)[::-1], rtol=1e-6)
    assert (hits.positions[1:3] == NO_PASSAGE).all()
    assert np.isneginf(hits.scores[1:3]).all()
    assert hits.positions[3].tolist() == [1, 2, NO_PASSAGE]
    np.testing.assert_allclose(hits.scores[3, :2], [share(1, 2, 3), share(1, 2, 7)], rtol=1e-6)


def test_ties_are_in_ascending_position_and_cut_there(opened) -> None:
    index = opened([("", "red apple"), ("", "green pear")] * 1_500)
    hits = index.search(["apple"], 700)
    assert hits.positions[0].tolist() == list(range(0, 1_400, 2))
    assert len(set(hits.scores[0].tolist())) == 1


def test_empty_passages_keep_their_place_and_are_counted(
    engine: SparseEngine, passages, tmp_path: Path, opened
) -> None:
    pairs = [("", ""), *THREE, (" ", "\n\t\x00")]
    details = engine.build(passages(pairs), tmp_path / "counted")
    assert 2 in (details.get("empty_passages"), details.get("passages_without_terms"))
    assert details["passages"] == 5
    index, without = opened(pairs, "with"), opened(THREE, "without")
    hits, expected = index.search(["cat bird"], 5), without.search(["cat bird"], 5)
    assert (hits.positions[0, :3] - 1).tolist() == expected.positions[0, :3].tolist()
    np.testing.assert_array_equal(hits.scores[:, :3], expected.scores)
    assert (hits.positions[:, 3:] == NO_PASSAGE).all()


def test_nothing_but_empty_passages(opened) -> None:
    index = opened([("", ""), ("", "the of")])
    assert (index.search(["cat the"], 2).positions == NO_PASSAGE).all()


def test_any_text_can_be_indexed_and_asked(opened) -> None:
    nasty = 'lone \ud800 surrogate, NUL \x00, 😀 astral 𝒳, "quote" \\ back {brace} café'
    index = opened([("", "plain words"), (nasty, nasty)])
    for question in (nasty, "CAFÉ", "surrogate \udfff", "brace) AND (quote OR *:*", "nul\x00"):
        assert index.search([question], 10).positions[0, 0] == 1, question
    assert (
        index.search([" ".join(f"w{n}" for n in range(3_000)) + " words"], 1).positions[0, 0] == 0
    )
    assert index.search([], 4).positions.shape == (0, 2)


def test_a_rebuild_answers_the_same(opened, docstrings) -> None:
    questions = [text[:80] for _, text in docstrings[:60]]
    pairs = docstrings[:600]
    first, second = (opened(pairs, name).search(questions, 50) for name in ("one", "two"))
    np.testing.assert_array_equal(first.positions, second.positions)
    np.testing.assert_array_equal(first.scores, second.scores)


def test_threads_do_not_mix_up_indexes(opened, docstrings) -> None:
    questions = [text[:80] for _, text in docstrings[:40]]
    indexes = [opened(docstrings[:400], "one"), opened(docstrings[300:700], "two")]
    expected = [index.search(questions, 20) for index in indexes]
    wrong: list[int] = []

    def ask(number: int) -> None:
        for _ in range(3):
            hits = indexes[number].search(questions, 20)
            if not np.array_equal(hits.positions, expected[number].positions):
                wrong.append(number)

    threads = [Thread(target=ask, args=(turn % 2,)) for turn in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_progress_and_details(
    engine: SparseEngine, analyzer: AnalyzerName, passages, tmp_path: Path
) -> None:
    with Progress(total=3, unit="passages", label="bm25") as progress:
        details = engine.build(passages(THREE), tmp_path / "sparse", progress)
        assert progress.state().startswith("3 of 3")
    assert details["variant"] == engine.variant
    assert (details["k1"], details["b"]) == (K1, B)
    assert details["analyzer"] == analyzer
    # what differs between equal builds is beside them, where no hash covers it
    versions = {name for name in load_made_with(tmp_path / "sparse") if name.endswith("_version")}
    assert versions >= {"bm25s_version"} or versions >= {"java_version", "lucene_version"}
    assert not {*load_made_with(tmp_path / "sparse")} & {*details}


def test_a_folder_without_an_index_is_an_artifact_error(
    engine: SparseEngine, passages, tmp_path: Path
) -> None:
    details = engine.build(passages(THREE), tmp_path / "sparse")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match="empty"):
        load_sparse(tmp_path / "empty", details)


@pytest.mark.jvm
def test_bm25s_agrees_with_lucene(
    jvm, analyzer: AnalyzerName, passages, docstrings, tmp_path: Path
) -> None:
    corpus = passages([*docstrings, *OTHER_SCRIPTS])
    one, two = (engine(analyzer) for engine in ENGINES.values())
    ours = load_sparse(tmp_path / "b", one.build(corpus, tmp_path / "b"))
    theirs = load_sparse(tmp_path / "l", two.build(corpus, tmp_path / "l"))
    texts = [text.split() for _, text in docstrings[::10]]
    questions = [" ".join(words[3:12]) for words in texts if len(words) > 12]
    questions += [text[2:8] for _, text in OTHER_SCRIPTS]
    first, second = ours.search(questions, 10), theirs.search(questions, 10)
    rows = zip(first.positions.tolist(), second.positions.tolist(), strict=True)
    overlaps = [len(set(a) & set(b)) / len(set(b)) for a, b in rows]
    theirs.close()
    assert len(questions) > 100
    assert np.mean(overlaps) >= 0.999
    np.testing.assert_allclose(first.scores, second.scores, rtol=1e-5)


@pytest.mark.parametrize("length", [300, 40_000])
def test_one_endless_word_is_indexed_and_asked(opened, length: int) -> None:
    index = opened([("", "short"), ("", "y" * length), ("", "ÿ😀" * length)])
    hits = index.search(["y" * length, "z" * length], 3)
    assert hits.positions[0, 0] == 1
    assert hits.positions[1, 0] == NO_PASSAGE


def test_a_question_of_too_many_terms_is_cut_and_counted(
    opened, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the limit is also set in Lucene, which refuses a question beyond it
    for module in (analyzers, lucene_searcher):
        monkeypatch.setattr(module, "MAXIMUM_TERMS", 100)
    index = opened([("", "w1 w2"), ("", "w109"), ("", "w3")])
    longest = " ".join(f"w{n}" for n in [*range(1, 101), 7, 8])
    assert index.search([longest], 3).positions[0].tolist() == [0, 2, NO_PASSAGE]
    assert index.cut_questions == 0
    longer = " ".join(f"w{n}" for n in range(1, 110))
    hits = index.search(["w3", longer, "w2"], 3)
    assert hits.positions[:, 0].tolist() == [2, 0, 0]
    assert 1 not in hits.positions[1].tolist()
    assert index.cut_questions == 1
    assert "109 different terms" in caplog.text


def test_a_depth_beyond_the_passages_takes_no_memory(opened) -> None:
    hits = opened(THREE).search(["cat", "bird"], 10**9)
    assert hits.positions.shape == (2, 3)
