import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.text.folding import decompose, lower_code_point, lower_each, unify_forms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The", "the"),
        ("ΣΑΣ", "σασ"),
        ("İI", "İi"),
        ("ẞ", "ß"),
        ("𐐀", "𐐨"),
        ("Ⅷ", "ⅷ"),
        ("é1", "é1"),
    ],
)
def test_each_code_point_is_lowered_by_itself(text: str, expected: str) -> None:
    assert lower_each(text) == expected


@given(st.text())
def test_lowering_keeps_offsets_and_settles(text: str) -> None:
    lowered = lower_each(text)
    assert len(lowered) == len(text)
    assert lower_each(lowered) == lowered


def test_one_code_point_lowers_to_several() -> None:
    several = [c for c in map(chr, range(0x110000)) if len(c.lower()) > 1]
    assert several == ["İ"]
    assert lower_code_point("İ") == "İ"


@given(st.text())
def test_decomposition_is_canonical(text: str) -> None:
    assert decompose(text) == unicodedata.normalize("NFD", text)


def test_decomposition_by_hand() -> None:
    assert decompose("\u00e9") == "e\u0301"
    assert decompose("plain") == "plain"
    # compatibility forms stay: NFD is not NFKD
    assert decompose("ﬁ") == "ﬁ"


def test_hyphens_without_a_break_are_hyphens():
    assert unify_forms("well\u2011known well\u2010known") == "well-known well-known"
