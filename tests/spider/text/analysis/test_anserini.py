"""Hand-computed terms; tests/index/sparse/test_analysis_parity.py compares with Lucene itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.text.analysis.anserini import analyze
from spider.text.stop_words import LUCENE


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The president's running dogs, and cities", ["presid", "run", "dog", "citi"]),
        ("to be or not to be", []),
        ("foo_bar 3.14 1,000 U.S.A.", ["foo_bar", "3.14", "1,000", "u.s.a"]),
        ("possibly analogies biology", ["possibl", "analog", "biologi"]),
        ("東京", ["東", "京"]),
        ("", []),
    ],
)
def test_by_hand(text: str, terms: list[str]) -> None:
    assert analyze(text) == terms


def test_an_overlong_token_is_cut() -> None:
    assert [len(term) for term in analyze("1" * 600)] == [255, 255, 90]


@given(st.text())
def test_no_term_is_empty_or_blank(text: str) -> None:
    assert all(term and not term.isspace() for term in analyze(text))


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz_19.'", max_size=30))
def test_case_makes_no_difference(text: str) -> None:
    assert analyze(text) == analyze(text.upper())


@pytest.mark.parametrize("word", sorted(LUCENE))
def test_stop_words_and_their_possessives_are_dropped(word: str) -> None:
    assert analyze(f"{word} {word.upper()} {word}'s") == []
