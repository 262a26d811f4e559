"""The protocol of the question formats."""

from typing import Protocol, runtime_checkable

from spider.question import QuestionSet


@runtime_checkable
class QuestionSource(Protocol):
    """Where questions come from; each class of ``spider/questions/`` is one.

    A source that reads files also has ``fingerprint() -> list``: their sizes and times.
    """

    def read(self) -> QuestionSet:
        """Return the questions, always the same."""
