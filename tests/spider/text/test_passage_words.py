"""The words that measure a passage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.text.passage_words import count_words, cut_word, has_unspaced, word_bounds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("two words, really.", ["two", "words,", "really."]),
        ("한국어 단어", ["한국어", "단어"]),
        ("北京是中国的首都。", ["北京", "是中", "国的", "首都。"]),
        ("「大阪」は（町）", ["「大阪」", "は", "（町）"]),
        ("Python是语言", ["Python", "是语", "言"]),
        ("3.5米 x", ["3.5", "米", "x"]),
        ("ภาษาไทย", ["ภาษาไ", "ทย"]),
        ("がか\u3099き", ["がか\u3099", "き"]),
        ("（", ["（"]),
        ("首（", ["首", "（"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in word_bounds(text)] == words
    assert count_words(text) == len(words)


@given(st.text(alphabet="aé北京はไท่ន្។。「」.,3 \n\u0301\u200d🦎", max_size=60))
def test_every_character_is_in_one_word(text: str) -> None:
    bounds = word_bounds(text)
    assert "".join(text[start:end] for start, end in bounds) == "".join(text.split())
    assert all(start < end for start, end in bounds)
    if not has_unspaced(text):
        assert [text[start:end] for start, end in bounds] == text.split()


def test_an_overlong_word_is_cut_between_visible_characters() -> None:
    text = "a\u0301" * 5 + "b"
    assert cut_word(text, 0, 11, 5) == [(0, 4), (4, 8), (8, 11)]
    # one visible character that is longer than a part
    assert cut_word("a" + "\u0301" * 9, 0, 10, 4) == [(0, 4), (4, 8), (8, 10)]


@pytest.mark.usefixtures("no_hang")
def test_a_long_run_of_flags_is_cut() -> None:
    # \\X looks back to the beginning of the run: 12 seconds where it sees all 40,000
    parts = cut_word("\U0001f1eb\U0001f1f7" * 20_000, 0, 40_000, 1_000)
    assert {end - start for start, end in parts} == {1_000}
