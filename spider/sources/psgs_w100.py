"""Reads DPR's passage collections: ``psgs_w100.tsv`` and files of the same format."""

from collections.abc import Iterator, Mapping
from itertools import chain, groupby
from pathlib import Path
from typing import Any, NamedTuple

from spider.corpus.document import Document, PassageBounds
from spider.errors import DataError
from spider.settings import Execution
from spider.sources.formats.tab_separated import read_tab_separated
from spider.sources.reading_report import ReadingReport
from spider.sources.text_files import PathSetting, find_files, fingerprint_files

COLUMNS = ("id", "text", "title")


class _Row(NamedTuple):
    id: str
    text: str
    title: str
    line: int


class PsgsW100:
    """Documents from tab-separated passages, which keep their borders and ids.

    Adjacent rows with the same title form one document, with the id of its first passage. A title
    that occurs again later forms another document. A row without a title is a document by itself.
    Several files are read as parts of one, in the order of their names.

    Source: Spider ``preprocess_corpus.py`` groups all rows of a title, which merges different
    documents of one name in collections other than Wikipedia.

    Args:
        path: a file with a header naming the columns id, text and title in any order, plain or
            compressed; or a glob, or several.
        last_passage_padded: whether a document's last passage is filled up with the document's
            beginning, as in DPR's file; mining then ignores that passage.
        quoted: whether the fields are CSV-quoted, as DPR's are; null finds out, and then a field
            that does not close its quotes at its end keeps its marks.
    """

    published = True

    def __init__(
        self,
        *,
        path: Execution[PathSetting],
        last_passage_padded: bool = True,
        quoted: bool | None = None,
    ):
        self.path = path
        self.last_passage_padded = last_passage_padded
        self.quoted = quoted
        self._report = ReadingReport()

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of rows read, and of rows skipped by reason."""
        return self._report.counts

    @property
    def skipped(self) -> Mapping[str, Mapping[str, Any]]:
        """Examples of skipped rows, by reason."""
        return self._report.skipped

    def fingerprint(self) -> list[list[str | int]]:
        """Return name, size and modification time of each file."""
        return fingerprint_files(find_files(self.path))

    def documents(self) -> Iterator[Document]:
        """Yield the documents in file order, each with its passages.

        Raises:
            DataError: the header lacks a column, or a row has too few.
        """
        self._report = ReadingReport()
        # one stream of all files, since a document may continue in the next
        every_row = chain.from_iterable(map(self._rows, find_files(self.path)))
        kept = self._report.with_text(every_row)
        for _, rows in groupby(enumerate(kept), key=_group_key):
            yield _join([row for _, row in rows])

    def places_of(self, identity: str) -> list[str]:
        """Return file and line of the passages with an id."""
        files = find_files(self.path)
        rows = ((file, row) for file in files for row in self._rows(file))
        found = ((file, row) for file, row in rows if row.id == identity and row.text.split())
        return [f"{file}:{row.line}" for file, row in found]

    def _rows(self, file: Path) -> Iterator[_Row]:
        rows = read_tab_separated(file, quoted=self.quoted)
        number, header = next(rows, (1, []))
        names = [name.strip().lower() for name in header]
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            hint = "; lines have to end with a newline" if "\r" in "".join(header) else ""
            raise DataError(
                f"the header lacks {', '.join(missing)}; expected id, text and title separated by"
                f" tabs, got {header[:5]!r}{hint}",
                path=file,
                line=number,
            )
        places = [names.index(name) for name in COLUMNS]
        for number, row in rows:
            identity, text, title = (row[place] for place in places)
            passage = _Row(identity, text, title, number)
            if not passage.id.strip():
                raise DataError("blank id", path=file, line=number)
            yield passage


def _group_key(numbered: tuple[int, _Row]) -> tuple[str, int]:
    number, row = numbered
    return (row.title, 0) if row.title else ("", number)


def _join(rows: list[_Row]) -> Document:
    """Join passages with one space between them."""
    bounds, start = [], 0
    for row in rows:
        bounds.append(PassageBounds(row.id, start, start + len(row.text)))
        start += len(row.text) + 1
    return Document(
        id=rows[0].id,
        title=rows[0].title,
        text=" ".join(row.text for row in rows),
        passages=tuple(bounds),
    )
