"""The 100-word rule, by hand and by property."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.corpus.document import Document, PassageBounds
from spider.corpus.splitting import WordSplitter
from spider.errors import ConfigError
from spider.text.passage_words import count_words


def pieces(text, **settings):
    return [text[start:end] for start, end in WordSplitter(**settings).bounds(text)]


def numbered(count):
    return " ".join(f"w{number}" for number in range(count))


@pytest.mark.parametrize(
    ("words", "lengths"),
    [
        (0, []),
        (1, [1]),
        (19, [19]),
        (100, [100]),
        (101, [101]),
        (119, [119]),
        (120, [100, 20]),
        (219, [100, 119]),
        (250, [100, 100, 50]),
    ],
)
def test_hundred_words_and_a_tail_of_twenty(words, lengths):
    assert [len(piece.split()) for piece in pieces(numbered(words))] == lengths


def test_dpr_compatible_keeps_the_short_tail():
    lengths = [len(piece.split()) for piece in pieces(numbered(201), dpr_compatible=True)]
    assert lengths == [100, 100, 1]


def test_offsets_count_code_points():
    text = "  🦎🦎 é\u00a0b\u3000\nç  🦎 "
    splitter = WordSplitter(words=2, minimum_tail=0)
    # a no-break space and an ideographic space are white space like any other
    assert splitter.bounds(text) == [(2, 6), (7, 11), (13, 14)]
    assert [text[s:e] for s, e in splitter.bounds(text)] == ["🦎🦎 é", "b\u3000\nç", "🦎"]


def test_paragraph_aware_prefers_line_break_then_sentence_end():
    settings = {"words": 8, "minimum_tail": 0, "paragraph_aware": True}
    assert pieces("a b c d e f\ng h. i j k l", **settings) == ["a b c d e f", "g h. i j k l"]
    assert pieces('a b c d e f "g." h i j k l', **settings) == ['a b c d e f "g."', "h i j k l"]
    assert pieces(numbered(10), **settings) == [numbered(8), "w8 w9"]


def test_split_numbers_passages_and_keeps_given_ones():
    document = Document(id="a/b.txt", title="", text=numbered(120))
    split = WordSplitter().split(document)
    assert split.passages is not None
    assert [bounds.id for bounds in split.passages] == ["a/b.txt#0", "a/b.txt#1"]
    given_bounds = (PassageBounds("own", 0, 2),)
    kept = Document(id="x", title="", text="w0 w1", passages=given_bounds)
    assert WordSplitter().split(kept).passages == given_bounds


@pytest.mark.parametrize(
    "settings",
    [
        {"words": 0},
        {"words": 10, "minimum_tail": 11},
        {"minimum_tail": -1},
        {"maximum_characters": 0},
        {"dpr_compatible": True, "paragraph_aware": True},
    ],
)
def test_impossible_settings(settings):
    with pytest.raises(ConfigError):
        WordSplitter(**settings)


@given(
    text=st.text(alphabet="ab.\n \t\u2009🦎é", max_size=200),
    words=st.integers(1, 9),
    tail=st.integers(0, 9),
    aware=st.booleans(),
)
def test_no_word_is_lost(text, words, tail, aware):
    splitter = WordSplitter(words=words, minimum_tail=min(tail, words), paragraph_aware=aware)
    bounds = splitter.bounds(text)
    assert [word for s, e in bounds for word in text[s:e].split()] == text.split()
    assert all(s < e and text[s:e] == text[s:e].strip() for s, e in bounds)
    assert all(before[1] < after[0] for before, after in pairwise(bounds))
    longest = words + words // 4 + splitter.minimum_tail
    assert all(len(text[s:e].split()) <= longest for s, e in bounds)
    if len(bounds) > 1:
        assert len(text[slice(*bounds[-1])].split()) >= splitter.minimum_tail


CHINESE = "长江流入东海，黄河流入渤海。北京是中国的首都，上海是一座城市。" * 40
THAI = "กรุงเทพเป็นเมืองหลวงของประเทศไทย แม่น้ำเจ้าพระยาไหลผ่านเมือง " * 40
JAPANESE = "東京は日本の首都である。「大阪」はサーバーの町です。" * 40
KHMER = "ភ្នំពេញគឺជារាជធានីនៃប្រទេសកម្ពុជា។" * 80
LAO = "ວຽງຈັນແມ່ນນະຄອນຫຼວງຂອງປະເທດລາວ" * 80


@pytest.mark.parametrize("text", [CHINESE, THAI, JAPANESE, KHMER, LAO])
@pytest.mark.parametrize("aware", [False, True])
def test_text_without_spaces_is_cut_too(text: str, aware: bool) -> None:
    found = pieces(text, paragraph_aware=aware)
    assert len(found) > 2
    assert "".join("".join(piece.split()) for piece in found) == "".join(text.split())
    assert all(75 <= count_words(piece) <= 125 for piece in found[:-1])
    # no passage begins with a mark, or with the punctuation that closes the passage before
    assert all(unicodedata.category(piece[0])[0] in "LNP" for piece in found)
    assert all(piece[0] not in "。，」" for piece in found)


def test_text_without_spaces_is_cut_at_the_end_of_a_sentence() -> None:
    assert all(piece.endswith("。") for piece in pieces(CHINESE))
    assert {len(piece) for piece in pieces(CHINESE)[:-1]} <= set(range(150, 241))


def test_a_mixed_text_counts_both_kinds_of_words() -> None:
    text = "Python是一种语言。" * 30 + "word " * 150
    assert len(pieces(text)) == 3


@pytest.mark.parametrize(
    "text",
    ["x" * 100_000, "ab" * 900 + " " + "c" * 5_000, "👨‍👩‍👧" * 3_000, "á" * 4_000,
     "https://example.org/?q=" + "0123456789" * 900, CHINESE.replace("，", "").replace("。", "")],
)  # fmt: skip
@pytest.mark.parametrize("settings", [{}, {"paragraph_aware": True}, {"dpr_compatible": True}])
def test_no_passage_is_longer_than_the_bound(text: str, settings: dict[str, bool]) -> None:
    found = pieces(text, maximum_characters=900, **settings)
    assert max(map(len, found)) <= 900
    assert "".join("".join(piece.split()) for piece in found) == "".join(text.split())
    assert all(unicodedata.category(piece[0]) not in ("Mn", "Cf") for piece in found)


def test_a_few_long_words_stay_whole() -> None:
    # many addresses: each passage has fewer words, and no word is cut
    text = " ".join("https://example.org/" + "p" * 80 for _ in range(200))
    found = pieces(text)
    assert [word for piece in found for word in piece.split()] == text.split()
    assert max(map(len, found)) <= 2_000


def test_dpr_counts_words_at_white_space_alone() -> None:
    text = " ".join(["北京是中国的首都"] * 250)
    assert [len(piece.split()) for piece in pieces(text, dpr_compatible=True)] == [100, 100, 50]
