"""The protocols of sources of documents."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from spider.corpus.document import Document

READ = "read"


class FileRecord(NamedTuple):
    """The record of a file, from which the next run sees whether the file changed.

    Attributes:
        id: its path relative to the folder, with ``/``.
        digest: BLAKE2b of its bytes; empty if they were not read.
        outcome: ``read``, or the reason why it was skipped.
        hint: how to make the file readable.
        encoding: how the file was decoded if it is not UTF-8.
        size: bytes; -1 if unknown.
        modified: time of the last modification, in ns.
    """

    id: str
    digest: str
    outcome: str
    hint: str = ""
    encoding: str = ""
    size: int = -1
    modified: int = 0


@runtime_checkable
class DocumentSource(Protocol):
    """Reads documents from files or a data set.

    A source may also have ``fingerprint() -> list`` (a value that changes with its content: files
    with size and time), ``skipped`` (examples by reason), ``last_passage_padded``,
    ``places_of(id) -> list[str]`` (where the rows with an id are, found by reading again), and
    ``published`` (a collection with published figures, such as BEIR's).
    """

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of items read, and of items skipped by reason; complete after ``documents()``."""

    def documents(self) -> Iterator[Document]:
        """Yield the documents, always in the same order."""


@runtime_checkable
class FileSource(DocumentSource, Protocol):
    """A source with one document for each file; it can reuse the documents of unchanged files."""

    def files(
        self, known: Mapping[str, FileRecord], recall: Callable[[str], Document | None]
    ) -> Iterator[tuple[FileRecord, Document | None]]:
        """Yield the record of every file, with its document if it has one.

        Args:
            known: records of an earlier reading, by id.
            recall: returns the document that an earlier reading made of a file, or None.
        """


def skipped_by(source: object) -> Mapping[str, Any]:
    """Return the items that a source skipped, with examples, by reason."""
    skipped = getattr(source, "skipped", None)
    return {} if skipped is None else dict(skipped)
