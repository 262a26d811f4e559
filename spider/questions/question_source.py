"""The protocol of sources of questions."""

from typing import Protocol, runtime_checkable

from spider.question import QuestionSet


@runtime_checkable
class QuestionSource(Protocol):
    """Reads questions from a file or a data set.

    A source that reads files also has ``fingerprint() -> list``, which returns their sizes and
    times.
    """

    def read(self) -> QuestionSet:
        """Return the questions; every call returns the same ones."""
