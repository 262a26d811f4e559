"""JSON lines: one document in each line."""

from collections.abc import Iterator, Mapping
from typing import Any

from spider.corpus.document import Document
from spider.errors import DataError
from spider.settings import Execution
from spider.sources.formats.fields import text_field, title_field
from spider.sources.formats.identities import RowIds
from spider.sources.reading_report import ReadingReport
from spider.sources.text_files import (
    JsonLine,
    PathSetting,
    find_files,
    fingerprint_files,
    read_json_lines,
)


class JsonLines:
    """Documents from JSON-lines files, plain or compressed (.gz, .bz2, .xz, .zst).

    Args:
        path: a file, a glob, or several of these; read in the order given, a glob's files sorted.
        id_field: field of the id, a string or whole number. Null takes ``id`` or ``_id``; a row
            without either gets an id that is made from its title and text.
        title_field: field of the title, which a row may lack; null for none.
        text_field: field of the text. Dots reach into a field that is an object.
    """

    last_passage_padded = False

    def __init__(
        self,
        *,
        path: Execution[PathSetting],
        id_field: str | None = None,
        title_field: str | None = "title",
        text_field: str = "text",
    ):
        self.path = path
        self.id_field = id_field
        self.title_field = title_field
        self.text_field = text_field
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
        """Yield the documents in file order; a row without a word of text is skipped.

        Raises:
            DataError: a file is missing or damaged, or a line is malformed.
        """
        self._report = ReadingReport()
        ids = RowIds(self.id_field, "source.id_field")
        yield from self._report.with_text(document for _, document in self._rows(ids))
        self._report.add_some("ids_made", ids.made)
        ids.tell()

    def places_of(self, identity: str) -> list[str]:
        """Return file and line of the rows with an id."""
        rows = self._rows(RowIds(self.id_field, "source.id_field"))
        return [place for place, document in rows if document.id == identity]

    def _rows(self, ids: RowIds) -> Iterator[tuple[str, Document]]:
        for file in find_files(self.path):
            for line in read_json_lines(file):
                try:
                    document = self._document(line, ids)
                except ValueError as error:
                    raise DataError(str(error), path=file, line=line.number) from error
                yield f"{file}:{line.number}", document

    def _document(self, line: JsonLine, ids: RowIds) -> Document:
        title = title_field(line.record, self.title_field)
        text = text_field(line.record, self.text_field, setting="source.text_field")
        return Document(id=ids.id_of(line.record, title, text), title=title, text=text)
