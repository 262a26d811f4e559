"""The protocol of the readers: a source of documents."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from spider.corpus.document import Document

READ = "read"


class FileRecord(NamedTuple):
    """What is remembered of a file, to tell the next time whether it changed.

    Attributes:
        id: its path relative to the folder, with ``/``.
        digest: BLAKE2b of its bytes; empty where they were not read.
        outcome: ``read``, or the reason why it was skipped.
        hint: how to have it read after all.
    """

    id: str
    digest: str
    outcome: str
    hint: str = ""


@runtime_checkable
class DocumentSource(Protocol):
    """Where documents come from; each class of ``spider/sources/`` is one.

    A source may also have ``fingerprint() -> list`` (what, beside its settings, tells whether its
    content changed: files with size and time), ``skipped`` (examples by reason) and
    ``last_passage_padded``.
    """

    @property
    def counts(self) -> Mapping[str, int]:
        """What was read and what was skipped, by reason; complete after ``documents()``."""

    def documents(self) -> Iterator[Document]:
        """Yield the documents, always in the same order."""


@runtime_checkable
class FileSource(DocumentSource, Protocol):
    """A source of one document a file, which need not extract an unchanged file again."""

    def files(
        self, known: Mapping[str, FileRecord], recall: Callable[[str], Document | None]
    ) -> Iterator[tuple[FileRecord, Document | None]]:
        """Yield every file's record, with its document where it yields one.

        Args:
            known: records of an earlier reading, by id.
            recall: returns the document that an earlier reading made of a file, or None.
        """


def skipped_by(source: DocumentSource) -> Mapping[str, Any]:
    """Return what a source passed over, with examples, by reason."""
    skipped = getattr(source, "skipped", None)
    return {} if skipped is None else dict(skipped)
