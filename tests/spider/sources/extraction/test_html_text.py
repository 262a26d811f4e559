"""The text that a person would read on the page."""

import pytest

from spider.sources.extraction.html_text import DROPPED, extract

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
    title, text, _ = extract(PAGE.encode())
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


def test_what_a_page_declares_may_be_wrong_or_no_text() -> None:
    assert extract("<meta charset=utf-8><p>café".encode("cp1252")) == ("", "café", "cp1252")
    assert extract("<meta charset=iso-8859-1><p>café €".encode()) == ("", "café €", "")
    assert extract("<meta charset=koi8-r><p>вода".encode("koi8-r")) == ("", "вода", "koi8-r")
    for name in ("unicode_escape", "punycode", "rot13", "zlib", "undefined", "utf-7", "\\xff"):
        page = f"<meta charset={name}><p>\\x41 +AEE- caf\u00e9"
        assert extract(page.encode()).text == "\\x41 +AEE- café"
    marked = b"\xef\xbb\xbf<meta charset=gbk><p>caf\xc3\xa9"
    assert extract(marked).text == "café"


@pytest.mark.parametrize("tag", sorted(DROPPED))
@pytest.mark.parametrize("end", ["", "</body></html>", "</div>", "</template2>"])
def test_a_dropped_element_without_an_end_keeps_the_rest(tag: str, end: str) -> None:
    page = f"<html><body><div><{tag} a=b><p>first<p>second{end}"
    text = extract(page.encode()).text.split()
    assert text[-2:] == ["first", "second"]
    # the same element with its end is dropped, as is the last of two
    closed = f"<html><body><div><{tag}>menu</{tag}><p>first<{tag}><i>x</i></{tag}><p>second{end}"
    assert extract(closed.encode()).text.split() == ["first", "second"]


@pytest.mark.parametrize(
    ("page", "title", "words"),
    [
        ("<title>T<p>a<p>b", "T", "a b"),
        ("<head><title>T</head><body>a", "T", "a"),
        ("<h1>H<p>a<p>b", "H", "H a b"),
        ("<p>a<!-- b <p>c</p> d", "", "a b c d"),
        ("<p>a<!-- b --><!-- c <p>d", "", "a c d"),
        ("<script>x</script><p>a<script>if (b<c) {} //<p>d<p>e", "", "a d e"),
        ("<style>p{}</style><style>p{}</head><body>a<p>b", "", "a b"),
        ("<p>a<script src=x/>b<p>c", "", "ab c"),
        ("<script>s = '<!--'</script><p>a", "", "a"),
        ("<header><nav>m</header><p>a</nav><p>b", "", "m a b"),
        ("<nav>m<nav>n</nav><p>a", "", "m a"),
        ("<nav><h1>Menu</h1></nav><h1>H</h1><p>a", "H", "H a"),
        ("<nav><pre></nav><p>a\nb", "", "a b"),
        ("<h1> </h1><h1>H</h1>a", "H", "H a"),
        ("<textarea>a<p>b", "", "a b"),
        ("<object><p>a</object><p>b", "", "b"),
    ],
)
def test_what_is_left_open_ends_at_the_next_block(page: str, title: str, words: str) -> None:
    found = extract(page.encode())
    assert (found.title, found.text.split()) == (title, words.split())


UNITS = [
    *("<div>", "<nav>", "<p", "<a ", "<", "<!--", "</", "<script>", "<script><p>", "<svg>", "&#"),
    *("<a b='", "<![CDATA[", "<?", "<!", "</nav>", "<nav></div>", "<nav><div></nav>", "<h1>"),
    *("<title>", "<pre>", "<x y=", "<a <a >", "<a '>", "</p ", "<meta charset", "\n", " ", "-->"),
]


@pytest.mark.usefixtures("no_hang")
@pytest.mark.parametrize("unit", UNITS)
def test_an_unclosed_row_of_anything_ends(unit: str) -> None:
    # 20,000 times "<a " took 80 s
    extract((unit * 20_000).encode())
