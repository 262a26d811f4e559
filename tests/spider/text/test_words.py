import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.text.words import (
    BLANK_SEPARATED,
    PLAIN,
    WORD,
    WORD_CHARACTERS,
    blank_separated_block,
    is_plain,
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


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1,000 members", ["members"]),
        ("1,00,000 members", ["members"]),
        ("3.5 million", ["million"]),
        ("1’000 men", ["men"]),
        ("1\u202f000\u00a0000 men", ["men"]),
        ("1 000 000 men", ["men"]),
        (".5 million", ["million"]),
        ("12:30 train, 24/7 help", ["train", "help"]),
        ("version 3.1.2 beta", ["version", "beta"]),
        ("٣٫٥ مليون", ["مليون"]),
        # numbers that are whole, and what only looks like a separator
        ("1990, 2000 and 500", ["1990", "2000", "and", "500"]),
        ("ends in 7. 8 begin", ["ends", "in", "7", "8", "begin"]),
        ("1990-1995 season", ["1990", "1995", "season"]),
        ("in 2010 500 men", ["in", "2010", "500", "men"]),
    ],
)
def test_no_plain_word_is_a_part_of_a_number(text: str, plain: list[str]) -> None:
    found = [match for match in WORD.finditer(text) if is_plain(text, *match.span())]
    assert [match.group() for match in found] == plain


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
