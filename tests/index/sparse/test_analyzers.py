"""The choice of an analyzer, and what the folded one finds in each engine."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from index.sparse.analyzers import check_analyzer, choose_analyzer, recorded_analyzer
from index.sparse.bm25s_index import Bm25s
from index.sparse.contract import load_sparse
from index.sparse.lucene import Lucene
from spider.errors import ArtifactError, SettingError
from spider.ranking import NO_PASSAGE

TEXTS = [
    "The café on the quai opened in 1901.",
    "A pa\u0302tisserie stands beside the old mill.",
    "O’Brien’s saga tells of the wreck.",
    "The oﬃce of the ﬁrst treasurer burned.",
    "The wa\u00adter\u00adboard raised the dike.",
    "Model ＡＢＣ１２３ was withdrawn.",
    "The light\u200bhouse keeper left.",
    "Die Straße am Fluß",
    "中国的首都是北京。长江流入东海。",
    "東京は日本の首都である。",
    "ذهب إلى المدينة القديمة",
    "กรุงเทพเป็นเมืองหลวงของประเทศไทย",
]
QUESTIONS = [
    "cafe\u0301", "CAFE", "pâtisserie", "patisserie", "O'Brien", "office first", "waterboard",
    "abc123", "lighthouse", "STRASSE", "fluss", "北京", "日本の首都", "مدينة", "เมืองหลวง",
]  # fmt: skip
FOUND = [0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11]
ENGINES = [
    Bm25s(analyzer="folded"),
    pytest.param(Lucene(heap="512m", analyzer="folded"), marks=pytest.mark.jvm),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_spellings_of_one_word_find_each_other(
    engine: Any, passages: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if isinstance(engine, Lucene):
        request.getfixturevalue("jvm")
    details = engine.build(passages([("", text) for text in TEXTS]), tmp_path / "index")
    index = load_sparse(tmp_path / "index", details)
    assert index.search(QUESTIONS, 1).positions[:, 0].tolist() == FOUND
    assert index.search(["unheard-of", "the"], 1).positions.tolist() == [[NO_PASSAGE]] * 2
    index.close()


def test_anserinis_analyzer_finds_none_of_them(passages: Any, tmp_path: Path) -> None:
    # a published figure depends on it, so it stays as it is
    corpus = passages([("", text) for text in TEXTS])
    details = Bm25s(analyzer="anserini").build(corpus, tmp_path / "index")
    index = load_sparse(tmp_path / "index", details)
    hits = index.search(["cafe", "waterboard", "lighthouse", "strasse", "مدينة"], 1)
    assert (hits.positions == NO_PASSAGE).all()


def test_a_published_collection_gets_anserinis_analyzer() -> None:
    own, published = SimpleNamespace(), SimpleNamespace(published=True)
    assert choose_analyzer(None, own) == "folded"
    assert choose_analyzer(None, published) == "anserini"
    assert choose_analyzer("folded", published) == "folded"
    assert choose_analyzer("anserini", own) == "anserini"


def test_names_of_analyzers_are_checked() -> None:
    check_analyzer(None)
    with pytest.raises(SettingError, match="analyzer"):
        check_analyzer("english")
    for earlier in ("lucene-like (porter)", "anserini DefaultEnglishAnalyzer (porter)"):
        assert recorded_analyzer(earlier, where=Path("index")) == "anserini"
    with pytest.raises(ArtifactError, match="build the index again"):
        recorded_analyzer("snowball", where=Path("index"))
