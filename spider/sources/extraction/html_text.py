"""The readable text of an HTML page."""

import codecs
import re
from html.parser import HTMLParser

from spider.sources.extraction.decoding import SNIFFED, decode
from spider.sources.extraction.extracted import Extracted, NotExtractedError

SUFFIXES = (".html", ".htm", ".xhtml")

DROPPED = frozenset(["script", "style", "nav", "template", "noscript", "svg", "iframe", "object"])
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
    rb"""<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I
)
SPACES = re.compile(r"[^\S\n]+")
BLANK_LINES = re.compile(r"\n\s*\n+")


def extract(data: bytes) -> Extracted:
    """Return a page's title (``<title>``, else the first ``<h1>``) and its text.

    Scripts, styles and navigation are dropped. A block element begins a line, and ``<pre>`` keeps
    its lines.

    Raises:
        NotExtractedError: ``binary``, or ``not_utf8`` without another declared encoding.
    """
    parser = _TextParser()
    parser.feed(_decode_page(data))
    parser.close()
    return Extracted(_tidy(parser.title) or _tidy(parser.heading), _tidy_lines(parser.pieces))


def _decode_page(data: bytes) -> str:
    declared = DECLARED.search(data[:SNIFFED])
    if declared and b"\0" not in data[:SNIFFED]:
        try:
            name = codecs.lookup(declared[1].decode("ascii", errors="replace")).name
            # browsers read Latin-1 as its superset Windows-1252
            name = "cp1252" if name == "iso8859-1" else name
            if name not in ("utf-8", "utf-16"):
                return data.decode(name)
        except LookupError:
            pass
        except (UnicodeDecodeError, ValueError) as error:
            raise NotExtractedError("not_utf8", hint="convert the file to UTF-8") from error
    return decode(data)


def _tidy(pieces: list[str]) -> str:
    return " ".join("".join(pieces).split())


def _tidy_lines(pieces: list[str]) -> str:
    lines = (SPACES.sub(" ", line).strip() for line in "".join(pieces).split("\n"))
    return BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


class _TextParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.heading: list[str] = []
        self.pieces: list[str] = []
        self._dropping: list[str] = []
        self._in_title = False
        self._in_heading = False
        self._headings = 0
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in DROPPED:
            self._dropping.append(tag)
        elif tag == "title":
            # the title of an <svg> is dropped with it
            self._in_title = not self._dropping and not self.title
        elif tag == "h1":
            self._headings += 1
            self._in_heading = self._headings == 1
        elif tag == "pre":
            self._preformatted += 1
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # <script/> has no end tag
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._dropping:
            # this also closes inner elements that were left open
            while self._dropping.pop() != tag:
                pass
        elif tag == "title":
            self._in_title = False
        elif tag == "h1":
            self._in_heading = False
        elif tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if self._dropping:
            return
        if self._in_title:
            self.title.append(data)
            return
        if self._in_heading:
            self.heading.append(data)
        self.pieces.append(data if self._preformatted else " ".join(data.split("\n")))

    def _break(self, tag: str) -> None:
        if self._dropping:
            return
        if tag in BLOCKS:
            self.pieces.append("\n")
        elif tag in CELLS:
            self.pieces.append(" ")
