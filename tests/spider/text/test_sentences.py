import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.text.sentences import SENTENCE, ends_sentence


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("end.", True),
        ('said."', True),
        ("(really?)", True),
        ("京。", True),
        ("etc.,", False),
        ("word", False),
        (".", True),
        ("”", False),
        ("", False),
    ],
)
def test_words_that_may_end_a_sentence(word: str, expected: bool) -> None:
    assert ends_sentence(word) is expected


def test_sentences_by_hand() -> None:
    text = 'He left. "Why?" she asked... Version 3.5 is out!\nNo end'
    assert SENTENCE.findall(text) == [
        *["He left.", '"Why?"', "she asked...", "Version 3.5 is out!", "No end"]
    ]


@given(st.text(alphabet="ab. !?\n\"')。", max_size=60))
def test_sentences_cover_a_text_but_for_the_space_between(text: str) -> None:
    found = [match.span() for match in SENTENCE.finditer(text)]
    borders = [0, *(place for span in found for place in span), len(text)]
    between = [text[a:b] for a, b in zip(borders[::2], borders[1::2], strict=True)]
    assert "".join(between).strip() == ""
    assert all(start < end for start, end in found)
