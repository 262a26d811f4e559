"""Documents from a Hugging Face data set."""

from collections.abc import Iterator, Mapping
from typing import Any

from spider.corpus.document import Document
from spider.errors import DataError
from spider.settings import Execution
from spider.sources.hugging_face_rows import column, fingerprint_rows, read_rows
from spider.sources.reading_report import ReadingReport


class HuggingFace:
    """Documents from the rows of a data set.

    Args:
        path: a name on the hub, a folder written by ``save_to_disk``, or Parquet files.
        subset: the hub's name for a configuration.
        split: which split to read.
        revision: commit, tag or branch on the hub; without one, the data may change.
        streaming: read the hub's files while they download, without storing them.
        id_column: column of the id; null numbers the rows from 0.
        title_column: column of the title; null for none. Dots reach into a column.
        text_column: column of the text.
    """

    last_passage_padded = False

    def __init__(
        self,
        *,
        path: Execution[str],
        subset: str | None = None,
        split: str = "train",
        revision: str | None = None,
        streaming: bool = True,
        id_column: str | None = "id",
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
        rows = read_rows(
            self.path,
            subset=self.subset,
            split=self.split,
            revision=self.revision,
            streaming=self.streaming,
        )
        for number, row in enumerate(rows):
            text = column(row, self.text_column)
            if not isinstance(text, str):
                raise DataError(
                    f"{self.path}: row {number}: column {self.text_column!r}: expected a string,"
                    f" got {type(text).__name__}"
                )
            identity = str(number) if self.id_column is None else str(column(row, self.id_column))
            title = "" if self.title_column is None else column(row, self.title_column)
            if text.split():
                self._report.add_read()
                yield Document(id=identity, title=str(title or ""), text=text)
            else:
                self._report.skip("empty", identity)
