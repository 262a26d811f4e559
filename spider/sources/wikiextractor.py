"""The output of wikiextractor: ``<doc>`` text or JSON lines, in folders AA, AB and so on."""

import html
import logging
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from spider.corpus.document import Document
from spider.errors import DataError
from spider.reading import parse_json
from spider.settings import Execution
from spider.sources.formats.fields import id_field, text_field
from spider.sources.reading_report import ReadingReport
from spider.sources.text_files import TextLine, find_files, fingerprint_files, read_text_lines

# a title may hold quotation marks, which wikiextractor does not escape
OPENING = re.compile(r'<doc id="([^"]*)"(?: revid="[^"]*")?(?: url="[^"]*")?(?: title="(.*)")?\s*>')
CLOSING = "</doc>"
# markup that stands in the middle of a line; text has no "<", which wikiextractor escapes
MARKUP = re.compile(
    r'</doc>(?=\s*(?:</doc>|<doc |$))|<doc id="[^"]*"(?: (?:revid|url|title)="[^"]*")*\s*>'
)

logger = logging.getLogger(__name__)


class WikiExtractor:
    """Articles from wikiextractor's output.

    An article without ``</doc>`` ends where the next one begins, and is counted.

    Args:
        path: its output folder, read recursively, or one file; plain, .bz2, .gz, .xz or .zst.
        unescape: turn ``&lt;`` and ``&amp;`` back into ``<`` and ``&``, which wikiextractor 3
            escapes by default.
    """

    last_passage_padded = False

    def __init__(self, *, path: Execution[Path | str], unescape: bool = True):
        self.path = Path(path).expanduser()
        self.unescape = unescape
        self._report = ReadingReport("articles_read")

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of articles read, skipped by reason, and not closed."""
        return self._report.counts

    @property
    def skipped(self) -> Mapping[str, Mapping[str, Any]]:
        """Examples of skipped articles, by reason."""
        return self._report.skipped

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of each file."""
        return fingerprint_files(self._files())

    def documents(self) -> Iterator[Document]:
        """Yield the articles, file after file; one without a word (a redirect, say) is skipped.

        Raises:
            DataError: there is no such file, or it is of neither format.
        """
        self._report = ReadingReport("articles_read")
        for file in self._files():
            articles = map(self._document, _Articles(file, self._report))
            yield from self._report.with_text(articles)

    def _document(self, article: Document) -> Document:
        if not self.unescape:
            return article
        title, text = html.unescape(article.title), html.unescape(article.text)
        return Document(id=article.id, title=title, text=text)

    def places_of(self, identity: str) -> list[str]:
        """Return file and line of the articles with an id."""
        return [
            f"{file}:{number}"
            for file in self._files()
            for number, found in _openings(file)
            if found == identity
        ]

    def _files(self) -> list[Path]:
        if not self.path.is_dir():
            return find_files(self.path)
        found = [
            Path(root) / name
            for root, _, names in os.walk(self.path, onerror=_refuse)
            for name in names
            if not name.startswith(".")
        ]
        if not found:
            raise DataError("no output file of wikiextractor in this folder", path=self.path)
        return sorted(found)


def _refuse(error: OSError) -> None:
    """Refuse a folder that cannot be read, which ``os.walk`` would leave out without a word."""
    raise DataError(f"cannot be read: {error.strerror}", path=error.filename) from error


def _openings(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line where each article begins, with its id."""
    inside = False
    for line in read_text_lines(file):
        if not inside and line.text.startswith("{"):
            yield line.number, _from_json(file, line).id
            continue
        for piece in _pieces(line.text):
            opened = OPENING.fullmatch(piece.strip())
            if opened is not None:
                inside = True
                yield line.number, opened[1]
            elif piece.strip() == CLOSING:
                inside = False


class _Article(NamedTuple):
    """An article that is being read: its opening line, and the lines below."""

    id: str
    title: str
    line: int
    body: list[str]

    def document(self) -> Document:
        """Return the whole article."""
        # wikiextractor repeats the title above the text
        repeated = bool(self.body and self.title and self.body[0].strip() == self.title.strip())
        text = "\n".join(self.body[repeated:]).strip()
        return Document(id=self.id, title=self.title, text=text)


class _Articles:
    """The articles of one file.

    Args:
        file: text with ``<doc>`` lines, or JSON lines.
        report: gets the count of articles that are not closed.
    """

    def __init__(self, file: Path, report: ReadingReport):
        self._file = file
        self._report = report

    def __iter__(self) -> Iterator[Document]:
        article: _Article | None = None
        for line in read_text_lines(self._file):
            if article is None and line.text.startswith("{"):
                yield _from_json(self._file, line)
                continue
            for piece in _pieces(line.text):
                opened = OPENING.fullmatch(piece.strip())
                closes = piece.strip() == CLOSING
                if article is not None and (opened or closes):
                    if not closes:
                        self._note_open(article)
                    yield article.document()
                    article = None
                if opened:
                    article = _Article(opened[1], opened[2] or "", line.number, [])
                elif article is not None:
                    article.body.append(piece)
                elif piece.strip() and not closes:
                    raise DataError(
                        f"expected a <doc ...> line or a JSON object, got {piece[:60]!r}",
                        path=self._file,
                        line=line.number,
                    )
        if article is not None:
            raise DataError(
                f"this article has no {CLOSING}; is the file complete?",
                path=self._file,
                line=article.line,
            )

    def _note_open(self, article: _Article) -> None:
        if "articles_not_closed" not in self._report.counts:
            logger.warning(
                "%s:%d: this article has no %s, so it ends where the next one begins; the count"
                " articles_not_closed in the manifest says how many there are",
                self._file,
                article.line,
                CLOSING,
            )
        self._report.add("articles_not_closed")


def _pieces(text: str) -> list[str]:
    """Cut a line where markup stands in its middle: ``end.</doc>`` and ``</doc><doc ...>``."""
    if CLOSING not in text and not text.lstrip().startswith("<doc "):
        return [text] if '<doc id="' not in text else _cut(text)
    # most lines of markup are whole
    whole = text.strip() == CLOSING or (CLOSING not in text and OPENING.fullmatch(text.strip()))
    return [text] if whole else _cut(text)


def _cut(text: str) -> list[str]:
    pieces, end = [], 0
    for match in MARKUP.finditer(text):
        pieces += [text[end : match.start()], match[0]]
        end = match.end()
    pieces.append(text[end:])
    return [piece for piece in pieces if piece.strip()] or [text]


def _from_json(file: Path, line: TextLine) -> Document:
    record = parse_json(line.text, file, line=line.number)
    try:
        return Document(
            id=id_field(record, "id"),
            title=text_field(record, "title"),
            text=text_field(record, "text"),
        )
    except ValueError as error:
        raise DataError(f"not an article: {error}", path=file, line=line.number) from error
