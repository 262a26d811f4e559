"""Patterns of other people: what is no pattern is refused, and what never ends is given up."""

import pytest

from spider.text import answer_pattern
from spider.text.answer_pattern import LONGEST, AnswerPattern


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "not a regular expression"),
        ("[z-a]", "not a regular expression"),
        (r"\L<names>", "not a regular expression"),
        ("a**" * 3, "not a regular expression"),
        ("(" * 5000 + "a" + ")" * 5000, "nested too deeply"),
        ("a" * (LONGEST + 1), f"more than {LONGEST} characters"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AnswerPattern(pattern)


def test_patterns_match_as_in_dpr() -> None:
    assert AnswerPattern(r"19\d\d").occurs("Born in 1953.")
    assert AnswerPattern("^b").occurs("A\nB")
    assert not AnswerPattern("c").occurs("ab")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(?:a|aa)+b", "a" * 3000),
        ("(?:a|a?)+$x", "a" * 500),
        ("(?:abcdefghijkl){e<=10}x", "z" * 30_000),
        ("(?R)", "a"),
        (r"(\w+\s*)+:", "word " * 2000),
        ("(.*?,){25}P", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25" * 9),
    ],
)
def test_a_search_that_never_ends_is_given_up(
    pattern: str, text: str, monkeypatch: pytest.MonkeyPatch, no_hang: None
) -> None:
    monkeypatch.setattr(answer_pattern, "SECONDS", 0.05)
    compiled = AnswerPattern(pattern)
    assert not compiled.occurs(text)
    if compiled.too_slow:
        assert not compiled.occurs("ab" * 9)


def test_a_slow_pattern_is_known_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_pattern, "SECONDS", 0.01)
    compiled = AnswerPattern("(?:a|aa)+b")
    assert compiled.occurs("aab")
    assert not compiled.too_slow
    assert not compiled.occurs("a" * 3000)
    assert compiled.too_slow
    assert not compiled.occurs("aab")
