"""The result of an extraction, and the error that says why there is none."""

from typing import NamedTuple

# characters of another library's message that are shown
SHOWN = 200


class Extracted(NamedTuple):
    """A title, empty where the file states none, and the text.

    Attributes:
        title: the title.
        text: the text.
        encoding: how the file was decoded if it is not UTF-8; it is counted.
    """

    title: str
    text: str
    encoding: str = ""


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


def damaged(kind: str, error: Exception) -> NotExtractedError:
    """Return the error for what a parser of another library raised; a lack of memory is raised.

    Args:
        kind: the file type (``pdf``).
        error: what it raised; a malformed file raises errors of many types.
    """
    if isinstance(error, MemoryError):
        raise error
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return NotExtractedError(f"damaged_{kind}", hint=words[:SHOWN])
