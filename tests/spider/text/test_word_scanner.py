import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spider.text.word_scanner import code_points, scan_words
from spider.text.words import WORD, is_plain, word_key

ALPHABET = (
    "abAB yz01_-.,'’\n\t éÉßİıΣσς٣²½Ⅷ漢字かカーไทย"
    "กำ한글हिन्दीक्‍ष\u0301\u200c\ufeff\u3005(«𝔘𐐀𐐨𠀀😀\x85"
)


def words_of(text):
    found = scan_words(code_points(text))
    return [text[a:b] for a, b in zip(found.starts, found.ends, strict=True)], found


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=ALPHABET, max_size=40) | st.text("01٣.,'’:/ \u00a0\u202f\na-", max_size=20))
@example("")
@example("'")
@example("5")
@example(" 5")
@example("5 ")
@example("1 000")
@example("0001 000 0000 123 456")
@example("a'")
@example("dogs' o'clock 'tis")
def test_scanner_agrees_with_the_pattern(text):
    found, words = words_of(text)
    assert found == WORD.findall(text)
    assert words.plain.tolist() == [is_plain(text, *match.span()) for match in WORD.finditer(text)]
    first: dict[str, int] = {}
    expected = [first.setdefault(word_key(word), len(first)) for word in found]
    assert words.ids.tolist() == expected


@pytest.mark.parametrize(
    ("text", "expected", "plain"),
    [
        ("Aaron's well-known", ["Aaron", "'s", "well", "-", "known"], [1, 0, 1, 0, 1]),
        ("3rd of 1990, x_y", ["3rd", "of", "1990", ",", "x_y"], [0, 1, 1, 0, 0]),
        ("東京 Tokyo", ["東", "京", "Tokyo"], [1, 1, 1]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"], [1, 1]),
        ("3.5", ["3", ".", "5"], [0, 0, 0]),
        ("1,000 members", ["1", ",", "000", "members"], [0, 0, 0, 1]),
        ("had 1'000", ["had", "1", "'000"], [1, 0, 0]),
        ("10 000 men", ["10", "000", "men"], [0, 0, 1]),
        ("in 2010 500 men", ["in", "2010", "500", "men"], [1, 1, 1, 1]),
        ("a .5 b 5. c 5, 6", [*"a.5b5.c5,6"], [1, 0, 0, 1, 1, 0, 1, 1, 0, 1]),
    ],
)
def test_by_hand(text, expected, plain):
    found, words = words_of(text)
    assert found == expected
    assert words.plain.astype(int).tolist() == plain


def test_case_is_folded_by_code_point():
    _, words = words_of("The the ΣΑΣ σασ İ i")
    assert words.ids.tolist() == [0, 0, 1, 1, 2, 3]


def test_code_points_outside_the_tables_and_lone_surrogates():
    found, words = words_of("a\U0010fffd b\ud800")
    assert found == ["a", "\U0010fffd", "b", "\ud800"]
    assert words.ids.dtype == np.int32
