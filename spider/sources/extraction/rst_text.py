"""reStructuredText, unchanged."""

from itertools import pairwise

from spider.sources.extraction.decoding import decode
from spider.sources.extraction.extracted import Extracted

SUFFIXES = (".rst",)
IN_PROCESS = True

ADORNMENTS = frozenset("=-~^\"'#*+`:.")


def extract(data: bytes) -> Extracted:
    """Return the text, with its first section's title.

    Raises:
        NotExtractedError: ``binary`` or ``not_utf8``.
    """
    text, encoding = decode(data)
    return Extracted(_first_title(text.split("\n")), text, encoding)


def _first_title(lines: list[str]) -> str:
    """Return the first line with a row of one sign below it."""
    for line, below in pairwise(lines):
        if _is_row(below.rstrip(" \t")) and line.strip() and not _is_row(line.strip()):
            return line.strip()
    return ""


def _is_row(line: str) -> bool:
    return len(line) >= 3 and line[0] in ADORNMENTS and not line.strip(line[0])
