"""The corpus of a BEIR data set."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spider.corpus.document import Document, PassageBounds
from spider.errors import DataError
from spider.settings import Execution
from spider.sources.beir_files import fingerprint_beir, open_beir_file
from spider.sources.formats.fields import id_field, text_field, title_field
from spider.sources.reading_report import ReadingReport
from spider.sources.text_files import JsonLine, parse_json_lines


class Beir:
    """Documents from ``corpus.jsonl`` (``_id``, ``title``, ``text``).

    Each row becomes a document of one passage with the row's id, because the data set's relevance
    judgements name that id. A row that has only a title becomes a document with this text and
    without a title.

    Args:
        path: the data set, a folder or a zip.
        split: cut the rows into passages like other documents; the judgements then name documents,
            not passages.
    """

    last_passage_padded = False
    published = True

    def __init__(self, *, path: Execution[Path | str], split: bool = False):
        self.path = Path(path).expanduser()
        self.split = split
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
        """Return name, size and modification time of the file."""
        return fingerprint_beir(self.path, ("corpus.jsonl",))

    def documents(self) -> Iterator[Document]:
        """Yield the documents in file order; rows without a word are skipped.

        Raises:
            DataError: there is no such file, or a line is malformed.
        """
        self._report = ReadingReport()
        rows = self._rows(self._report)
        yield from self._report.with_text(document for _, document in rows)

    def places_of(self, identity: str) -> list[str]:
        """Return file and line of the rows with an id."""
        rows = self._rows(ReadingReport())
        return [place for place, document in rows if document.id == identity]

    def _rows(self, report: ReadingReport) -> Iterator[tuple[str, Document]]:
        with open_beir_file(self.path, "corpus.jsonl") as (stream, name):
            for line in parse_json_lines(stream, name):
                try:
                    document = self._document(line, report)
                except ValueError as error:
                    raise DataError(str(error), path=name, line=line.number) from error
                yield f"{name}:{line.number}", document

    def _document(self, line: JsonLine, report: ReadingReport) -> Document:
        identity = id_field(line.record, "_id")
        title = title_field(line.record, "title")
        blank = line.record.get("text", "") is None
        text = "" if blank else text_field(line.record, "text")
        if not text.split() and title.split():
            report.add("title_alone")
            # as text alone: an index reads the title too, and would count its words twice
            title, text = "", title
        whole = (PassageBounds(identity, 0, len(text)),)
        return Document(id=identity, title=title, text=text, passages=None if self.split else whole)
