"""The folded analyzer: one term for the spellings of a word, and terms of text without spaces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.text.analysis import anserini
from spider.text.analysis.folded import MAXIMUM_TOKEN, analyze, analyze_chunk

SAME = [
    ("café", "cafe\u0301"), ("Cafés", "CAFE"), ("O’Brien’s", "O'Brien"), ("O‘Hara", "OHara"),
    ("Hawaiʻi", "Hawaii"), ("n´est", "n'est"), ("oﬃce", "office"), ("ﬆop", "stop"),
    ("wa\u00adter\u00adboard", "waterboard"), ("light\u200bhouse", "lighthouse"),
    ("\ufeffheron", "heron"), ("\u202bheron\u202c", "heron"), ("ＡＢＣ１２３", "abc123"),
    ("𝔥𝔢𝔯𝔬𝔫", "heron"), ("straße", "STRASSE"), ("İzmir", "IZMIR"), ("ısparta", "ISPARTA"),
    ("ΣΟΦΟΣ", "σοφός"), ("musée", "musee"), ("Dvořák", "dvorak"), ("Łódź", "lodz"),
    ("Ærø", "aero"), ("Đà Nẵng", "da nang"), ("ёлка", "ЕЛКА"), ("п’ять", "пʼять"),
    ("l’école", "école"), ("all'opera", "opera"), ("1,250", "1250"), ("1\u202f250", "1250"),
    ("٣٤", "34"), ("المدينة", "مدينة"), ("مَدِينَة", "مدينه"), ("أحمد", "احمد"), ("کتاب", "كتاب"),
    ("שָׁלוֹם", "שלום"), ("ｻｰﾊﾞｰ", "サーバー"), ("⽔", "水"), ("각", "\u1100\u1161\u11a8"),
]  # fmt: skip
DIFFERENT = [
    ("мой", "мои"), ("が", "か"), ("हिंदी", "हिदी"), ("we'll", "well"), ("北京", "京北"),
    ("1,25", "125"), ("100,20", "10020"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_word_are_one_term(one: str, other: str) -> None:
    assert analyze(one) == analyze(other) != []


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_words_stay_apart(one: str, other: str) -> None:
    assert analyze(one) != analyze(other)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The Cats' running, it's", ["cat", "run"]),
        ("os.path 3.14 __init__", ["os.path", "3.14", "__init__"]),
        ("recon-\nstructed by", ["recon", "struct", "reconstruct"]),
        ("well-known thé", ["well", "known", "the"]),
        ("北京。", ["北", "京", "北京"]),
        ("猫", ["猫"]),
        ("サーバ", ["サー", "ーバ"]),
        ("서울은", ["서", "울", "은", "서울", "울은"]),
        ("ภาษา", ["ภา", "าษ", "ษา"]),
        ("A동", ["동"]),
        ("🦄 🇫🇷 ©", ["🦄", "🇫🇷"]),
        ("", []),
        ("the of", []),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert analyze(text) == terms


def test_overlong_words_are_cut_alike_everywhere() -> None:
    assert [len(term) for term in analyze("y" * 300)] == [MAXIMUM_TOKEN, MAXIMUM_TOKEN, 46]


@given(st.text(max_size=80))
def test_terms_have_no_blank_and_fit_into_lucene(text: str) -> None:
    for term in analyze(text):
        assert term
        assert not any(character.isspace() for character in term)
        assert len(term.encode("utf-16-le")) <= 2 * 255


@given(st.text(alphabet=st.characters(categories=["L", "M", "N", "P", "Zs"]), max_size=60))
def test_upper_case_and_decomposition_change_nothing(text: str) -> None:
    import unicodedata

    terms = analyze(text)
    assert analyze(unicodedata.normalize("NFD", text)) == terms
    assert analyze(unicodedata.normalize("NFC", text)) == terms


@pytest.mark.usefixtures("no_hang")
@pytest.mark.parametrize(
    "text",
    ["é " + "_" * 20_000, "x" * 20_000 + "-\n", "é\n" + "y" * 20_000, "é" + " \u0301" * 20_000],
    ids=["joiners", "hyphen", "letters", "marks"],
)
def test_a_long_row_ends(text: str) -> None:
    # without possessive patterns, each of the first two takes 8 to 60 seconds
    analyze(text)
    anserini.analyze(text)


# "`" is an apostrophe only in a chunk that is not ASCII
CHARACTERS = st.one_of(
    st.characters(exclude_characters="`"), st.sampled_from(" \n\t-'.,09aZé北京か한")
)


@given(st.text(alphabet=CHARACTERS, max_size=40))
def test_terms_of_a_text_are_those_of_its_chunks(text: str) -> None:
    whole = list(analyze_chunk(text))
    assert analyze(text)[: len(whole)] == whole


def test_a_digit_newer_than_the_interpreter_is_a_character() -> None:
    analyze("\U0001e4f0 heron")
