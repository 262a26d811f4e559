"""The terms of spider.text.analysis.anserini and those of Lucene itself."""

import string
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spider.text.analysis import folded
from spider.text.analysis.anserini import analyze

SAMPLES = [
    "foo_bar __init__ a.b.c 3.14 1,000 U.S.A. x:y 10:30 don't.stop e-mail _ __ 3a a3 3.a a.3 1;2",
    "O'Neil’s dogs' it's IT'S boss＇s can't 'quoted' l’homme’s 's",
    "日本語テスト カタカナ_カタカナ ひらがな 한국어 단어 ไทยภาษา שלום ÀÉî",
    "İstanbul ΣΟΦΟΣ straße ﬁne naïve e\u0301cole soft\u00adhyphen ½ x² ① a\u200bb c\u200dd",
    "y" * 600 + " " + "1" * 255,
    "possibly analogies biology geology terribly flexibly us s by ms ties caresses relational",
    "١٢٣ ４５ 123abc٤ #hash @user http://a.b/c?d=e_f",
    "The And OF not-a-stop-word into",
    "",
]


@pytest.fixture(scope="module")
def lucene_tokens(jvm):
    from index.sparse.contract import indexed_text
    from index.sparse.jvm import java_class

    analyzer = java_class("io.anserini.analysis.DefaultEnglishAnalyzer").newDefaultInstance()
    utils = java_class("io.anserini.analysis.AnalyzerUtils")
    return lambda text: list(utils.analyze(analyzer, indexed_text("", text)))


@pytest.mark.jvm
@pytest.mark.parametrize("text", SAMPLES)
def test_samples_agree_with_lucene(lucene_tokens, text: str) -> None:
    assert analyze(text) == lucene_tokens(text)


@pytest.mark.jvm
def test_the_standard_library_agrees_with_lucene(lucene_tokens, docstrings) -> None:
    text = "\n".join(text for _, text in docstrings)
    ours, theirs = Counter(analyze(text)), Counter(lucene_tokens(text))
    assert ours.total() > 30_000
    differing = (ours - theirs).total() + (theirs - ours).total()
    assert differing <= ours.total() // 1_000, ((ours - theirs), (theirs - ours))


@pytest.mark.jvm
@given(st.text(alphabet=string.ascii_letters + string.digits + " .,:;'_-’\n", max_size=60))
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_plain_text_agrees_with_lucene(lucene_tokens, text: str) -> None:
    assert analyze(text) == lucene_tokens(text)


@pytest.mark.jvm
@given(st.text(max_size=60))
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_lucene_takes_the_folded_terms_as_they_are(jvm, text: str) -> None:
    from index.sparse.jvm import java_class

    at_spaces = java_class("org.apache.lucene.analysis.core.WhitespaceAnalyzer")()
    utils = java_class("io.anserini.analysis.AnalyzerUtils")
    terms = folded.analyze(text)
    assert list(utils.analyze(at_spaces, " ".join(terms))) == terms
