"""The output of wikiextractor: ``<doc>`` text or JSON lines, in folders AA, AB and so on."""

import html
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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


class WikiExtractor:
    """Articles from wikiextractor's output.

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
        """Number of articles read, and of articles skipped by reason."""
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
            for document in _parse(file):
                text = html.unescape(document.text) if self.unescape else document.text
                title = html.unescape(document.title) if self.unescape else document.title
                if text.split():
                    self._report.add_read()
                    yield Document(id=document.id, title=title, text=text)
                else:
                    self._report.skip("empty", document.id)

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
            for root, _, names in os.walk(self.path)
            for name in names
            if not name.startswith(".")
        ]
        if not found:
            raise DataError("no output file of wikiextractor in this folder", path=self.path)
        return sorted(found)


def _openings(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line where each article begins, with its id."""
    inside = False
    for line in read_text_lines(file):
        opened = OPENING.fullmatch(line.text.strip())
        if opened is not None:
            inside = True
            yield line.number, opened[1]
        elif line.text.strip() == CLOSING:
            inside = False
        elif not inside and line.text.startswith("{"):
            yield line.number, _from_json(file, line).id


def _parse(file: Path) -> Iterator[Document]:
    lines = read_text_lines(file)
    for line in lines:
        if not line.text.strip():
            continue
        if line.text.startswith("{"):
            yield _from_json(file, line)
            continue
        opened = OPENING.fullmatch(line.text.strip())
        if opened is None:
            raise DataError(
                f"expected a <doc ...> line or a JSON object, got {line.text[:60]!r}",
                path=file,
                line=line.number,
            )
        yield _from_markup(file, line.number, opened, lines)


def _from_markup(
    file: Path, opened_at: int, opened: re.Match[str], lines: Iterator[TextLine]
) -> Document:
    title = opened[2] or ""
    body = []
    for line in lines:
        if line.text.strip() == CLOSING:
            break
        body.append(line.text)
    else:
        raise DataError(f"this article has no {CLOSING}", path=file, line=opened_at)
    # wikiextractor repeats the title above the text
    if body and title and body[0].strip() == title.strip():
        body = body[1:]
    return Document(id=opened[1], title=title, text="\n".join(body).strip())


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
