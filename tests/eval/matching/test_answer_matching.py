"""The fast matcher, the readable rule, and DPR's rule written again from its description, agree."""

import unicodedata

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.matching.answer_matching import (
    has_answer,
    is_sublist,
    matches,
    prepare_answers,
    prepare_passage,
)

# letters whose case, marks, or width are awkward; spaces, controls and signs between them
ALPHABET = "aAbB1 \n\t.-'’\"$éÉßẞΣσςİıǅⅣⒶª²́ͅ\u00ad\u200b\u00a0\u2028_가漢𝔸\ud800"
ASCII = st.text(alphabet=[chr(code) for code in range(128)], max_size=30)
TEXTS = st.text(alphabet=ALPHABET, max_size=30) | st.text(max_size=30) | ASCII


def dpr_tokens(text: str) -> list[str]:
    """DPR's SimpleTokenizer as `reference/spider.md` 5.1 describes it, two groups and all."""
    pattern = regex.compile(
        r"([\p{L}\p{N}\p{M}]+)|([^\p{Z}\p{C}])",
        flags=regex.IGNORECASE + regex.UNICODE + regex.MULTILINE,
    )
    normalized = unicodedata.normalize("NFD", text)
    return [match.group().lower() for match in pattern.finditer(normalized)]


def dpr_has_answer(answers: list[str], text: str) -> bool:
    passage = dpr_tokens(text)
    for answer in answers:
        wanted = dpr_tokens(answer)
        for start in range(len(passage) - len(wanted) + 1):
            if wanted == passage[start : start + len(wanted)]:
                return True
    return False


def fast(answers: list[str], text: str, mode: str = "string") -> bool:
    return matches(prepare_answers(answers, mode), prepare_passage(text, mode))


@pytest.mark.parametrize(
    ("answers", "text", "expected"),
    [
        (["U.S."], "the U.S. Army", True),
        (["U.S."], "the US Army", False),
        (["us"], "the bus", False),
        (["new york"], "in New\n  York City", True),
        (["york new"], "in New York City", False),
        (["Beyonce"], "Beyonc\u00e9 sang", False),
        (["Beyonce\u0301"], "BEYONC\u00c9 sang", True),
        (["rock 'n' roll"], "Rock 'n' Roll!", True),
        (["1,000"], "some 1 , 000 men", True),
        (["x", "Army"], "the army", True),
        ([], "anything", False),
        (["word"], "", False),
        # DPR: an answer of no token is a sub-list of every passage, the empty one included
        ([""], "anything", True),
        ([" \t"], "", True),
        (["\u200b"], "anything", True),
    ],
)
def test_hand_computed(answers: list[str], text: str, expected: bool) -> None:
    assert dpr_has_answer(answers, text) is expected
    assert has_answer(answers, text) is expected
    assert fast(answers, text) is expected


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=3), TEXTS)
def test_matching_parity_on_unrelated_texts(answers: list[str], text: str) -> None:
    expected = dpr_has_answer(answers, text)
    assert has_answer(answers, text) is expected
    assert fast(answers, text) is expected


@settings(deadline=None)
@given(TEXTS, st.integers(0, 30), st.integers(0, 30))
def test_matching_parity_on_slices_of_the_passage(text: str, one: int, other: int) -> None:
    answer = text[min(one, other) : max(one, other)].swapcase()
    expected = dpr_has_answer([answer], text)
    assert has_answer([answer], text) is expected
    assert fast([answer], text) is expected


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "ab"]), max_size=3),
    st.lists(st.sampled_from(["a", "b", "ab"]), max_size=8),
)
def test_joined_containment_is_the_sublist_rule(part: list[str], whole: list[str]) -> None:
    assert fast([" ".join(part)], " ".join(whole)) is is_sublist(part, whole)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"19\d\d", "born in 1953.", True),
        (r"^second", "first\nsecond line", True),
        (r"MISSISSIPPI", "the mississippi", True),
        ("caf\u00e9", "cafe\u0301", True),
        (r"(unclosed", "(unclosed", False),
        (r"sub", "substring", True),
        ("", "x", True),
    ],
)
def test_regex_mode(pattern: str, text: str, expected: bool) -> None:
    assert has_answer([pattern], text, "regex") is expected
    assert fast([pattern], text, "regex") is expected


def test_what_cannot_be_used_is_counted() -> None:
    prepared = prepare_answers(["(", "a"], "regex")
    assert (prepared.unusable, len(prepared.patterns)) == (1, 1)
    assert prepare_answers(["", "a"], "string").everywhere
    assert not prepare_answers(["a"], "string").everywhere
