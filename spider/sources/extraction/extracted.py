"""The result of an extraction, and the error that says why there is none."""

from typing import NamedTuple


class Extracted(NamedTuple):
    """A title, empty where the file states none, and the text."""

    title: str
    text: str


class NotExtractedError(Exception):
    """A file has no text that can be extracted.

    Args:
        reason: one word, or two joined by an underscore, under which the file is counted.
        hint: how to make the file readable.
    """

    def __init__(self, reason: str, *, hint: str = ""):
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
