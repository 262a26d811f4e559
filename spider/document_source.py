"""The protocol of the readers: a source of documents."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from spider.document import Document


@runtime_checkable
class DocumentSource(Protocol):
    """Where documents come from; each class of ``spider/readers/`` is one.

    A source may also have ``fingerprint() -> list`` (what, beside its settings, tells whether its
    content changed: files with size and time), ``skipped`` (examples by reason) and
    ``last_passage_padded``.
    """

    @property
    def counts(self) -> Mapping[str, int]:
        """What was read and what was skipped, by reason; complete after ``documents()``."""

    def documents(self) -> Iterator[Document]:
        """Yield the documents, always in the same order."""


def fingerprint_of(source: DocumentSource) -> list[Any]:
    """Return a source's fingerprint; empty for a source whose settings say everything."""
    take = getattr(source, "fingerprint", None)
    return [] if take is None else list(take())


def skipped_by(source: DocumentSource) -> Mapping[str, Any]:
    """Return what a source passed over, with examples, by reason."""
    skipped = getattr(source, "skipped", None)
    return {} if skipped is None else dict(skipped)
