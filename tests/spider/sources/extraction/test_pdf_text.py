from collections.abc import Callable

import pytest

from spider.sources.extraction.extracted import NotExtractedError
from spider.sources.extraction.pdf_text import extract


def test_title_and_lines(pdf: Callable[..., bytes]) -> None:
    found = extract(pdf("one line", "another", title=" Title "))
    assert found.title == "Title"
    assert found.text.splitlines() == ["one line", "another"]


def test_a_page_without_text_is_told_apart_from_damage(pdf: Callable[..., bytes]) -> None:
    with pytest.raises(NotExtractedError, match="pdf_without_text") as caught:
        extract(pdf())
    assert "OCR" in caught.value.hint
    with pytest.raises(NotExtractedError, match="damaged_pdf"):
        extract(b"%PDF-1.4 and no more")
