"""The rows that are shown: those with most of the question."""

from hypothesis import given
from hypothesis import strategies as st

from index.display.snippet import best_line, choose_rows, marks_in, wanted_words


def test_words_are_marked_whatever_their_case_and_plural() -> None:
    row = "The Lock is for threads."
    marks = marks_in(row, wanted_words("What are locks for a thread?"))
    assert [row[start:end] for start, end in marks] == ["Lock", "threads"]


def test_the_rows_with_most_different_words_are_shown_with_one_above() -> None:
    rows = ["lock lock lock", "x", "y", "the global interpreter", "lock guards", "z", "end"]
    chosen = choose_rows(rows, wanted_words("global interpreter lock"), 3)
    assert chosen == ["…y", "the global interpreter", "lock guards…"]


def test_without_a_word_of_the_question_the_beginning_is_shown() -> None:
    assert choose_rows(["  a", "b", "c"], wanted_words("gamma"), 2) == ["  a", "b…"]


def test_common_indentation_is_removed() -> None:
    rows = ["a", "        if lock:", "            hold(lock)", "b"]
    assert choose_rows(rows, wanted_words("hold the lock"), 2) == ["…if lock:", "    hold(lock)…"]


def test_a_short_passage_is_whole_and_empty_rows_are_left_out() -> None:
    assert choose_rows(["a", "", "b"], frozenset(), 2) == ["a", "b"]


def test_the_line_with_most_words_of_the_question() -> None:
    wanted = wanted_words("global interpreter lock")
    assert best_line("a lock\nthe global lock\nglobal lock", wanted) == 7
    assert best_line("x\ny", wanted) == best_line("", wanted) == 0


@given(st.lists(st.text(max_size=20), max_size=12), st.text(max_size=40), st.integers(1, 5))
def test_any_rows_give_at_most_that_many(rows: list[str], question: str, height: int) -> None:
    wanted = wanted_words(question)
    chosen = choose_rows(rows, wanted, height)
    assert len(chosen) == min(height, sum(bool(row.strip()) for row in rows))
    for row in chosen:
        assert all(0 <= start < end <= len(row) for start, end in marks_in(row, wanted))
