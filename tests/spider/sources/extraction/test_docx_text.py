from collections.abc import Callable

import pytest

from spider.sources.extraction.docx_text import extract
from spider.sources.extraction.extracted import NotExtractedError


def test_paragraphs_then_tables(word: Callable[..., bytes]) -> None:
    data = word("one", "two", rows=[["a", "b"], ["c", "d"]])
    assert extract(data) == ("", "one\ntwo\na b\nc d")
    assert extract(word("x", title=" T ")).title == "T"


def test_damage_names_the_error() -> None:
    with pytest.raises(NotExtractedError, match="damaged_docx") as caught:
        extract(b"PK\3\4 no zip")
    assert "BadZipFile" in caught.value.hint
