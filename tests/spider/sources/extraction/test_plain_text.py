import pytest

from spider.sources.extraction.extracted import NotExtractedError
from spider.sources.extraction.plain_text import extract


def test_the_text_stays_as_it_is() -> None:
    assert extract("# é\n\n  x ".encode()) == ("", "# é\n\n  x ")


def test_binary_data_are_no_text() -> None:
    with pytest.raises(NotExtractedError, match="binary"):
        extract(b"\x89PNG\0\0")
