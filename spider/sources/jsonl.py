"""JSON lines: one document in each line."""

from collections.abc import Iterator, Mapping
from typing import Any

from spider.corpus.document import Document
from spider.errors import DataError
from spider.settings import Execution
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
        id_field: field of the id, a string or whole number; null numbers the rows from 0.
        title_field: field of the title, which a row may lack; null for none.
        text_field: field of the text.
    """

    last_passage_padded = False

    def __init__(
        self,
        *,
        path: Execution[PathSetting],
        id_field: str | None = "id",
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
        row = 0
        for file in find_files(self.path):
            for line in read_json_lines(file):
                try:
                    document = self._document(line, row)
                except ValueError as error:
                    raise DataError(str(error), path=file, line=line.number) from error
                row += 1
                if document.text.split():
                    self._report.add_read()
                    yield document
                else:
                    self._report.skip("empty", document.id)

    def _document(self, line: JsonLine, row: int) -> Document:
        record = line.record
        identity = str(row) if self.id_field is None else string_field(record, self.id_field)
        title = ""
        if self.title_field is not None and record.get(self.title_field) is not None:
            title = string_field(record, self.title_field)
        return Document(id=identity, title=title, text=string_field(record, self.text_field))


def string_field(record: Mapping[str, Any], name: str) -> str:
    """Return a field's string; a whole number counts as one.

    Raises:
        ValueError: the field is missing or has another type.
    """
    if name not in record:
        known = ", ".join(map(str, record)) or "none"
        raise ValueError(f"no field {name!r}; the fields are: {known}")
    value = record[name]
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"field {name!r}: expected a string, got {type(value).__name__}")
