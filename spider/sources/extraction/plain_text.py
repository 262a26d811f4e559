"""Plain text, unchanged."""

from spider.sources.extraction.decoding import decode
from spider.sources.extraction.extracted import Extracted

SUFFIXES = (".txt", ".text")


def extract(data: bytes) -> Extracted:
    """Return the text; a plain text states no title.

    Raises:
        NotExtractedError: ``binary`` or ``not_utf8``.
    """
    return Extracted("", decode(data))
