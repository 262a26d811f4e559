"""Rows of a passage: prose is filled, code, lists and tables keep their lines, nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from index.display.layout import rows_of

LONG = "A boat is booked in the calendar, at least one day before, and"


def test_prose_is_filled_and_paragraphs_stay_apart() -> None:
    text = f"{LONG}\nnobody sails alone after dusk.\n\n\nThe key hangs here."
    assert rows_of(text, 60) == [
        "A boat is booked in the calendar, at least one day before,",
        "and nobody sails alone after dusk.",
        "",
        "The key hangs here.",
    ]


@pytest.mark.parametrize(
    "kept",
    [
        "```python\ndef f(x):\n    return x\n```",
        "- one\n- two\n  - three\n1. four\n(a) five",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "Milk 2.50\nBread 3.00",
        ">>> 1 + 1\n2",
        "    indented\n    code",
        "# Heading\n## Another",
        "Title\n=====",
    ],
)
def test_lines_that_mean_something_stay(kept: str) -> None:
    assert rows_of(kept, 60) == kept.split("\n")


def test_later_rows_of_an_item_and_of_code_are_indented() -> None:
    rows = rows_of("- an item that is longer than the row\n      code that is longer than it", 24)
    assert rows == [
        "- an item that is longer",
        "  than the row",
        "      code that is",
        "    longer than it",
    ]


def test_an_item_that_an_editor_broke_is_filled() -> None:
    text = f"1. {LONG}\n   nobody sails alone.\n   - inner\n2. two"
    assert rows_of(text, 100) == [f"1. {LONG} nobody sails alone.", "   - inner", "2. two"]


def test_text_without_spaces_and_wide_characters_fit() -> None:
    rows = rows_of("長" * 50 + " " + "x" * 50, 20)
    assert max(map(cell_len, rows)) <= 20
    assert "".join(rows).replace(" ", "") == "長" * 50 + "x" * 50


def test_control_characters_are_shown_and_tabs_are_columns() -> None:
    assert rows_of("a\x1b[2J\tb\r", 40) == ["a\\x1b[2J    b\\r"]


@given(
    st.text(alphabet=st.sampled_from("ab長-#`|1. \n\t\x1b\u0301"), max_size=200), st.integers(1, 50)
)
def test_any_text_fits_and_keeps_its_characters(text: str, width: int) -> None:
    rows = rows_of(text, width)
    assert all(cell_len(row) <= max(width, 2) for row in rows)
    visible = text.replace("\x1b", "\\x1b")
    assert "".join("".join(rows).split()) == "".join(visible.split())
