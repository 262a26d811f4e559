"""What an extractor returns, and why it may not."""

from typing import NamedTuple


class Extracted(NamedTuple):
    """A title, empty where the file states none, and the text."""

    title: str
    text: str


class NotExtractedError(Exception):
    """A file holds no text that can be taken out.

    Args:
        reason: one word or two joined by underscores, under which the file is counted.
        hint: how to have it read after all.
    """

    def __init__(self, reason: str, *, hint: str = ""):
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
