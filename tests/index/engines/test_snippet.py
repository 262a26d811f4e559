"""Snippets: the stretch with most question words, on one line, marked."""

from hypothesis import given
from hypothesis import strategies as st

from index.engines.snippet import make_snippet


def test_words_are_marked_whatever_their_case_and_plural() -> None:
    snippet = make_snippet("The\nLock  is for threads.", "What are locks for a thread?")
    assert snippet.text == "The Lock is for threads."
    assert [snippet.text[s:e] for s, e in snippet.marks] == ["Lock", "threads"]


def test_the_stretch_with_most_question_words_is_shown() -> None:
    passage = "lock " + "x " * 200 + "the global interpreter lock guards objects " + "y " * 200
    snippet = make_snippet(passage, "global interpreter lock", width=80)
    assert "global interpreter lock" in snippet.text
    assert snippet.text.startswith("…")
    assert snippet.text.endswith("…")


def test_without_a_question_word_the_beginning_is_shown() -> None:
    snippet = make_snippet("alpha beta " * 50, "gamma", width=40)
    assert snippet.text.startswith("alpha beta")
    assert snippet.marks == ()


@given(st.text(max_size=400), st.text(max_size=40), st.integers(10, 120))
def test_any_text_gives_a_short_line_with_marks_inside(
    text: str, question: str, width: int
) -> None:
    snippet = make_snippet(text, question, width=width)
    assert len(snippet.text) <= width + 2
    assert "\n" not in snippet.text
    assert all(0 <= start < end <= len(snippet.text) for start, end in snippet.marks)
