import pytest

from spider.sources.extraction.rst_text import extract


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("=====\nTitle\n=====\n\ntext", "Title"),
        ("Under\n-----\n", "Under"),
        ("text only", ""),
        ("=====\n=====\nA\n~~~", "A"),
    ],
)
def test_rst_title(text, title):
    assert extract(text.encode()).title == title
