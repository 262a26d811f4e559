"""The text that a person would read on the page."""

import pytest

from spider.sources.extraction.extracted import NotExtractedError
from spider.sources.extraction.html_text import extract

PAGE = """<!doctype html><html><head><title>The &amp; Title</title>
<style>p { color: red }</style><script>var x = "<p>no</p>";</script></head>
<body><nav><ul><li><a href="/">Home</a></li></ul></nav>
<h1>Heading</h1><p>First
paragraph &eacute;<br>second line</p><div>A<b>bold</b>&nbsp;word</div>
<table><tr><td>one</td><td>two</td></tr></table>
<pre>def f():
    return 1</pre>
<svg><title>icon</title></svg><noscript>no</noscript>
</body></html>"""


def test_text_and_title_of_a_page():
    title, text = extract(PAGE.encode())
    assert title == "The & Title"
    lines = [line for line in text.split("\n") if line]
    assert lines == [
        "Heading",
        "First paragraph é",
        "second line",
        "Abold word",
        "one two",
        "def f():",
        "return 1",
    ]


def test_heading_stands_in_for_a_missing_title():
    assert extract(b"<h1>One <em>big</em></h1><h1>Two</h1>").title == "One big"
    assert extract(b"<p>nothing").title == ""


def test_unclosed_and_crossed_tags():
    assert extract(b"<script>a</script><p>kept").text == "kept"
    assert extract(b"<nav><style>x</nav></style></nav><p>kept</nav>").text == "kept"
    assert extract(b"</nav></script>kept").text == "kept"


@pytest.mark.parametrize("name", ["iso-8859-1", "windows-1252", "utf-8", "no-such-name"])
def test_declared_encoding(name):
    real = "utf-8" if name == "no-such-name" else name
    page = f'<meta charset="{name}"><p>caf\u00e9'.encode(real)
    assert extract(page).text == "café"


def test_undeclared_latin_1_is_not_guessed():
    with pytest.raises(NotExtractedError, match="not_utf8"):
        extract("<p>café".encode("latin-1"))
