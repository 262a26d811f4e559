import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.text.words import (
    BLANK_SEPARATED,
    PLAIN,
    WORD,
    WORD_CHARACTERS,
    blank_separated_block,
    word_key,
)


@pytest.mark.parametrize(
    ("text", "spans", "blank", "highlighted"),
    [
        (
            "Aaron's well-known lock.",
            ["Aaron", "'s", "well", "-", "known", "lock", "."],
            ["Aaron's", "well-known", "lock."],
            ["Aaron", "s", "well", "known", "lock"],
        ),
        ("x_y 3.5", ["x_y", "3", ".", "5"], ["x_y", "3.5"], ["x_y", "3", "5"]),
        ("東京 Tokyo", ["東", "京", "Tokyo"], ["東京", "Tokyo"], ["東京", "Tokyo"]),
    ],
)
def test_the_three_definitions_by_hand(
    text: str, spans: list[str], blank: list[str], highlighted: list[str]
) -> None:
    assert WORD.findall(text) == spans
    assert BLANK_SEPARATED.findall(text) == blank
    assert WORD_CHARACTERS.findall(text) == highlighted


def test_plain_words_are_all_letters_or_all_digits() -> None:
    assert [bool(PLAIN.fullmatch(w)) for w in ("word", "1990", "3rd", "x_y", "'s", "हिन्दी")] == [
        *[True, True, False, False, False, True]
    ]


def test_word_keys_compare_case_by_code_point() -> None:
    assert word_key("ΣΑΣ") == word_key("σασ")
    assert word_key("İ") != word_key("i")


@given(st.text())
def test_blank_separated_words_are_those_of_split(text: str) -> None:
    assert BLANK_SEPARATED.findall(text) == text.split()


@given(st.text(alphabet="ab \n\t\x85\x1c。", max_size=60), st.integers(1, 5))
def test_blocks_hold_that_many_words_and_lose_none(text: str, words: int) -> None:
    blocks = [block.split() for block in blank_separated_block(words).findall(text)]
    assert [word for block in blocks for word in block] == text.split()
    assert all(len(block) == words for block in blocks[:-1])
    assert all(1 <= len(block) <= words for block in blocks)
