import pytest

from spider.sources.extraction import markdown_text, plain_text, rst_text
from spider.sources.extraction.markdown_text import extract


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
        ("# C#\ntext", "C#"),
        ("#\t Tabbed \t##\t\ntext", "Tabbed"),
        ("    # Code\n# Real", "Real"),
        ("~~~\n# in a fence that never ends", "in a fence that never ends"),
        ("---\nTitle:   \n...\n# Heading", "Heading"),
    ],
)
def test_markdown_title(text, title):
    assert extract(text.encode()).title == title


def test_front_matter_is_no_text():
    assert extract(b"---\ntitle: T\n---\nbody\n").text == "body\n"
    assert extract(b"body\n---\nx: y\n---\n").text == "body\n---\nx: y\n---\n"


@pytest.mark.usefixtures("no_hang")
@pytest.mark.parametrize("module", [markdown_text, plain_text, rst_text])
@pytest.mark.parametrize(
    "unit", ["```\n", "~~~\n```\n", "#", "# ", "---\n", "title:\n", " ", "a ", "=\n", "\n", "_"]
)
def test_a_long_row_of_anything_ends(module, unit):
    # 100,000 times "```" took 124 s
    module.extract(b"# a" + unit.encode() * 60_000 + b"x")
    module.extract(unit.encode() * 60_000)
