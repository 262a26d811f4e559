import pytest

from spider.sources.extraction.extracted import NotExtractedError
from spider.sources.extraction.plain_text import extract


def test_the_text_stays_as_it_is() -> None:
    assert extract("é\n\n  x ".encode()) == ("", "é\n\n  x ", "")


def test_binary_data_are_no_text() -> None:
    with pytest.raises(NotExtractedError, match="binary"):
        extract(b"\x89PNG\0\0")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Water Engines\n\nThe turbine turns.", "Water Engines"),
        ("\n\n  WATER ENGINES  \n\nThe turbine turns.", "WATER ENGINES"),
        ("Water Engines\n=============\nThe turbine turns.", "Water Engines"),
        ("water engines\n---\nThe turbine turns.", "water engines"),
        ("# Water Engines #1\nThe turbine turns.", "Water Engines #1"),
        ("The Project\n\nTitle: Moby Dick\nAuthor: x\n", "Moby Dick"),
        ("1. Introduction\n\nText.", "1. Introduction"),
        ("水车\n\n水车转动。", "水车"),
        # no heading: one line alone, a sentence, a greeting, a line in the middle of a text
        ("Water Engines", ""),
        ("Water Engines\n", ""),
        ("The turbine turns.\n\nIt turns.", ""),
        ("Dear Anna,\n\nthe turbine turns", ""),
        ("the turbine\n\nturns", ""),
        ("The turbine turns and\nturns.\n\nMore.", ""),
        ("12345\n\n67890", ""),
        ("word " * 30 + "\n\nText", ""),
        ("W" * 200 + "\n\nText", ""),
        ("#hashtag" * 40 + "\n\nText", ""),
        ("---\n\nText", ""),
        ("", ""),
    ],
)
def test_the_title_is_the_heading(text: str, title: str) -> None:
    assert extract(text.encode()).title == title
