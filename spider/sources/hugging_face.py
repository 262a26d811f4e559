"""Documents from a Hugging Face data set."""

from collections.abc import Iterator, Mapping
from typing import Any

from spider.corpus.document import Document
from spider.errors import DataError
from spider.settings import Execution
from spider.sources.formats.fields import text_field, title_field
from spider.sources.formats.identities import RowIds
from spider.sources.hugging_face_rows import fingerprint_rows, read_rows
from spider.sources.reading_report import ReadingReport


class HuggingFace:
    """Documents from the rows of a data set.

    Args:
        path: a name on the hub; a folder written by ``save_to_disk``; a folder of Parquet, JSON or
            CSV files, laid out like a data set on the hub; or one such file.
        subset: the hub's name for a configuration.
        split: which split to read; null takes ``train``, or the only split there is.
        revision: commit, tag or branch on the hub; without one, the data may change.
        streaming: read the hub's files while they download, without storing them.
        id_column: column of the id, strings or whole numbers. Null takes ``id`` or ``_id``; a row
            without either gets an id that is made from its title and text.
        title_column: column of the title; null for none. Dots reach into a column.
        text_column: column of the text.
    """

    last_passage_padded = False

    def __init__(
        self,
        *,
        path: Execution[str],
        subset: str | None = None,
        split: str | None = None,
        revision: str | None = None,
        streaming: bool = True,
        id_column: str | None = None,
        title_column: str | None = "title",
        text_column: str = "text",
    ):
        self.path = path
        self.subset = subset
        self.split = split
        self.revision = revision
        self.streaming = streaming
        self.id_column = id_column
        self.title_column = title_column
        self.text_column = text_column
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
        """Return name, size and modification time of the files of a local data set."""
        return fingerprint_rows(self.path)

    def documents(self) -> Iterator[Document]:
        """Yield the documents in row order; a row without a word of text is skipped.

        Raises:
            MissingDependencyError: ``datasets`` is not installed.
            DataError: the data set cannot be read, or lacks a column.
        """
        self._report = ReadingReport()
        ids = RowIds(self.id_column, "source.id_column")
        yield from self._report.with_text(document for _, document in self._rows(ids))
        self._report.add_some("ids_made", ids.made)
        ids.tell()

    def places_of(self, identity: str) -> list[str]:
        """Return the numbers of the rows with an id, from 0."""
        rows = self._rows(RowIds(self.id_column, "source.id_column"))
        return [place for place, document in rows if document.id == identity]

    def _rows(self, ids: RowIds) -> Iterator[tuple[str, Document]]:
        rows = read_rows(
            self.path,
            subset=self.subset,
            split=self.split,
            usual_split="train",
            revision=self.revision,
            streaming=self.streaming,
        )
        for number, row in enumerate(rows):
            try:
                title = title_field(row, self.title_column)
                text = text_field(row, self.text_column, setting="source.text_column")
                identity = ids.id_of(row, title, text)
            except ValueError as error:
                raise DataError(f"row {number}: {error}", path=self.path) from error
            yield f"row {number}", Document(id=identity, title=title, text=text)
