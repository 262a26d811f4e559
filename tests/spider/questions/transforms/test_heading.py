import pytest

from spider.questions.transforms.heading import Heading, heading_places, headings
from spider.questions.transforms.passage_query import DocumentQuery


def test_headings_ask_for_the_passages_behind_them() -> None:
    passages = [
        "Intro text.\nEarly life and work\nHe was born in a small town far away from the sea.",
        "More of it.",
        "Legacy\nMany streets bear his name in the towns of the country.",
        "End.",
    ]
    assert Heading().document_queries("Ada", passages) == [
        DocumentQuery("Ada Early life and work", (0,), (1, 2), "heading"),
        DocumentQuery("Ada Legacy", (2,), (3,), "heading"),
    ]


def test_a_document_without_heading_gives_its_title() -> None:
    found = Heading().document_queries("Ada", ["One.", "Two."])
    assert found == [DocumentQuery("Ada", (), (0, 1), "title")]
    assert Heading().document_queries("", ["One.", "Two."]) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("## Use of it\nA line that is longer than its heading.\n", ["Use of it"]),
        ("== History ==\nA line that is longer than its heading.\n", ["History"]),
        ("a lower-case line\nA line that is longer than the one before it, much longer.", []),
        ("It is a sentence.\nA line that is longer than the one before it, much longer.", []),
        ("Short\nlines", []),
        ("A last line", []),
        ("One two three four five six seven eight nine\n" + "long " * 40, []),
    ],
)
def test_lines_that_are_headings(text: str, found: list[str]) -> None:
    assert headings(text) == found


def test_a_heading_is_where_its_line_is_and_not_where_its_word_is() -> None:
    passage = "History is told here, at some length.\n## History ##\nThe bridge was built in 1849."
    ((begin, end),) = heading_places(passage)
    assert (begin, passage[begin:end]) == (passage.index("## H") + 3, "History")
