"""Decoding, and the titles that Markdown and reStructuredText state."""

import pytest

from spider.sources.extraction.extracted import NotExtractedError
from spider.sources.extraction.plain_text import decode, extract_markdown, extract_rst, extract_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks(encoding):
    assert decode("é🦎\r\nb\rc".encode(encoding)) == "é🦎\nb\nc"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89PNG\0\0", "binary"),
        (b"caf\xe9", "not_utf8"),
        (b"\xff\xfea\xd8\0", "not_utf8"),
    ],
)
def test_what_is_no_text(data, reason):
    with pytest.raises(NotExtractedError, match=reason):
        extract_text(data)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# One\n\ntext\n## Two", "One"),
        ("text\n## Closed ##\n", "Closed"),
        ("Setext\n======\n# Later", "Setext"),
        ("```sh\n# a comment\n```\n# Real", "Real"),
        ("---\ntitle: 'Stated'\ntags: x\n---\n# Heading", "Stated"),
        ("---\ntags: x\n---\n# Heading", "Heading"),
        ("no heading, #hashtag", ""),
    ],
)
def test_markdown_title(text, title):
    assert extract_markdown(text.encode()).title == title


def test_front_matter_is_no_text():
    assert extract_markdown(b"---\ntitle: T\n---\nbody\n").text == "body\n"
    assert extract_markdown(b"body\n---\nx: y\n---\n").text == "body\n---\nx: y\n---\n"


@pytest.mark.parametrize(
    ("text", "title"),
    [("=====\nTitle\n=====\n\ntext", "Title"), ("Under\n-----\n", "Under"), ("text only", "")],
)
def test_rst_title(text, title):
    assert extract_rst(text.encode()).title == title
