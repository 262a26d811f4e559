"""The readable text of an HTML page."""

import codecs
import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any, NamedTuple

from spider.sources.extraction.decoding import SNIFFED, Decoded, decode, decode_as
from spider.sources.extraction.extracted import Extracted, NotExtractedError

SUFFIXES = (".html", ".htm", ".xhtml")

DROPPED = frozenset(["script", "style", "nav", "template", "noscript", "svg", "iframe", "object"])
CODE = ("script", "style")
#: elements whose end tag also ends what was left open inside them
CONTAINERS = DROPPED | frozenset(
    [
        *("article", "aside", "body", "div", "footer", "form", "header", "html", "li", "main"),
        *("ol", "section", "table", "td", "th", "tr", "ul"),
    ]
)
BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "menu",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "select",
        "summary",
        "table",
        "tbody",
        "textarea",
        "tfoot",
        "thead",
        "title",
        "tr",
        "ul",
    ]
)
CELLS = frozenset(["td", "th"])
DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^<>]*?(?:charset|encoding)\s*+=\s*+["']?\s*+([\w.:-]+)""", re.I
)
#: encodings that a page may declare, by Python's names; others are no text, or a program
ENCODINGS = frozenset(
    [
        *("ascii", "big5", "big5hkscs", "cp866", "cp949", "euc_jp", "euc_kr", "gb18030", "gb2312"),
        *("gbk", "hz", "iso2022_jp", "koi8-r", "koi8-u", "mac-cyrillic", "mac-roman", "shift_jis"),
        *("cp932", "cp874", "tis-620", *(f"cp125{n}" for n in range(9))),
        *(f"iso8859-{n}" for n in range(2, 17) if n != 12),
    ]
)
#: the beginning of a script that has no end, up to the next block
OPEN_CODE = {
    tag: re.compile(
        rf"<{tag}\b(?![^<>]*/>).*?(?=</?(?:{'|'.join(sorted(BLOCKS))})\b|\Z)", re.I | re.DOTALL
    )
    for tag in CODE
}
OPEN_TAG = re.compile(r"<(?=[^<>]*+(?:<|\Z))")
MOST_OPEN_TAGS = 1000
SPACES = re.compile(r"[^\S\n]++")
BLANK_LINES = re.compile(r"\n{2,}+")


def extract(data: bytes) -> Extracted:
    """Return a page's title (``<title>``, else the first ``<h1>``) and its text.

    Scripts, styles and navigation are dropped. A block element begins a line, and ``<pre>`` keeps
    its lines. An element that is dropped has to be closed: what follows an open ``<nav>`` is the
    page.

    Raises:
        NotExtractedError: ``binary``, or ``not_utf8`` without another declared encoding.
    """
    page, encoding = _decode_page(data)
    page = _close(page)
    parser = _TextParser(page)
    parser.feed(page)
    parser.close()
    title = _tidy(parser.title) or _tidy(parser.heading)
    return Extracted(title, _tidy_lines(parser.pieces), encoding)


def _close(page: str) -> str:
    """Remove the beginnings of what has no end and would hide the rest of the page.

    That is code, whose text ends at the next block; a comment; and tags, where most have no end:
    the parser of Python's library takes quadratic time on them.
    """
    lower = page.lower()
    for tag, opened in OPEN_CODE.items():
        end = lower.rfind(f"</{tag}") + 1
        if f"<{tag}" in lower[end:]:
            page = page[:end] + opened.sub("", page[end:])
            lower = page.lower()
    comment = page.find("<!--", page.rfind("-->") + 1)
    if comment >= 0:
        page = page[:comment] + page[comment + len("<!--") :]
    if page.count("<") > 2 * page.count(">") + MOST_OPEN_TAGS:
        page = OPEN_TAG.sub("&lt;", page)
    return page


def _decode_page(data: bytes) -> Decoded:
    declared = DECLARED.search(data[:SNIFFED])
    marked = data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not declared or marked or b"\0" in data[:SNIFFED]:
        return decode(data)
    try:
        name = codecs.lookup(declared[1].decode("ascii", errors="replace")).name
    except (LookupError, ValueError):
        return decode(data)
    if name in ("iso8859-1", "ascii", "cp1252"):
        try:
            # many pages declare Latin-1 and are UTF-8, which other text is only by chance
            return decode_as(data, "utf-8", "")
        except NotExtractedError:
            # browsers read Latin-1 as its superset Windows-1252
            name = "cp1252"
    try:
        return decode_as(data, name, name) if name in ENCODINGS else decode(data)
    except NotExtractedError:
        return decode(data)


def _tidy(pieces: list[str]) -> str:
    return " ".join("".join(pieces).split())


def _tidy_lines(pieces: list[str]) -> str:
    lines = (SPACES.sub(" ", line).strip() for line in "".join(pieces).split("\n"))
    return BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


class _Open(NamedTuple):
    """An open element: its tag, and the state of the parser before it."""

    tag: str
    pieces: int
    preformatted: int


class _TextParser(HTMLParser):
    """Collects text; the end tag of a dropped element removes what was collected inside it.

    Args:
        page: the text that is fed, in which the ends of scripts are searched.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.heading: list[str] = []
        self.pieces: list[str] = []
        self._page = page
        self._open: list[_Open] = []
        self._number: Counter[str] = Counter()
        self._last_ends: dict[str, tuple[int, int]] = {}
        self._in_title = False
        self._in_heading = False
        self._heading_at = 0
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_of_open_text(tag)
        if tag in CONTAINERS:
            self._open.append(_Open(tag, len(self.pieces), self._preformatted))
            self._number[tag] += 1
        elif tag == "title":
            # the title of an <svg> is dropped with it
            dropping = any(self._number[dropped] for dropped in DROPPED)
            self._in_title = not dropping and not self.title
        elif tag == "h1":
            self._in_heading = not _tidy(self.heading)
            self._heading_at = len(self.pieces) if self._in_heading else self._heading_at
        elif tag == "pre":
            self._preformatted += 1
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # <script/> has no end tag
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._number[tag]:
            self._close(tag)
        elif tag == "title":
            self._in_title = False
        elif tag == "h1":
            self._in_heading = False
        elif tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)
        elif tag == "head":
            self._in_title = False
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
            return
        if self._in_heading:
            self.heading.append(data)
        self.pieces.append(data if self._preformatted else data.replace("\n", " "))

    def set_cdata_mode(self, elem: str, *arguments: Any, **options: Any) -> None:
        """Read the content as text, unless its end tag is missing: that would be the whole page."""
        if self._closes(elem):
            super().set_cdata_mode(elem, *arguments, **options)

    def _close(self, tag: str) -> None:
        """End the innermost open element of a tag, and what was left open inside it."""
        while True:
            element = self._open.pop()
            self._number[element.tag] -= 1
            if element.tag == tag:
                break
        if tag in DROPPED:
            del self.pieces[element.pieces :]
            self._preformatted = element.preformatted
            if self._heading_at >= element.pieces:
                self.heading.clear()
                self._in_heading = False

    def _closes(self, tag: str) -> bool:
        """Tell whether the page has an end tag after this place."""
        if tag not in self._last_ends:
            at = self._page.lower().rfind(f"</{tag}")
            line = self._page.count("\n", 0, at) + 1 if at >= 0 else 0
            self._last_ends[tag] = (line, at - self._page.rfind("\n", 0, max(at, 0)) - 1)
        return self._last_ends[tag] > self.getpos()

    def _end_of_open_text(self, tag: str) -> None:
        """End a title or a heading that was not closed, at the next block."""
        if tag in BLOCKS:
            self._in_title = self._in_title and not _tidy(self.title)
            self._in_heading = self._in_heading and not _tidy(self.heading)

    def _break(self, tag: str) -> None:
        if tag in BLOCKS:
            self.pieces.append("\n")
        elif tag in CELLS:
            self.pieces.append(" ")
