"""Plain text, unchanged."""

from itertools import islice

from spider.sources.extraction.decoding import decode
from spider.sources.extraction.extracted import Extracted

SUFFIXES = (".txt", ".text")
IN_PROCESS = True

SEARCHED = 40
"""Lines at the beginning that are searched for a title."""
LONGEST = 100
"""Characters of a title."""
MOST_WORDS = 15
STATED = "title:"
UNDERLINES = frozenset("=-~*#^")


def extract(data: bytes) -> Extracted:
    """Return the text, with the heading above it as title.

    Raises:
        NotExtractedError: ``binary`` or ``not_utf8``.
    """
    text, encoding = decode(data)
    return Extracted(_heading(text), text, encoding)


def _heading(text: str) -> str:
    """Return the heading at a text's beginning; empty if there is none.

    That is a line ``Title: ...`` of a header, an underlined line, a line that begins with ``#``, or
    a short line alone that begins like a title and does not end like a sentence.
    """
    lines = [line.strip() for line in _first_lines(text)]
    for line in lines:
        if line[: len(STATED)].lower() == STATED and _fits(line[len(STATED) :].strip()):
            return line[len(STATED) :].strip()
    filled = [number for number, line in enumerate(lines) if line]
    if len(filled) < 2:
        return ""
    first, below = lines[filled[0]], lines[filled[0] + 1]
    title = first.lstrip("#").strip() if first.startswith("#") else first
    if not _fits(title):
        return ""
    underlined = len(below) >= 3 and len(set(below)) == 1 and below[0] in UNDERLINES
    if underlined or title is not first:
        return title
    alone = not below and not first[0].islower() and first[-1] not in ".,;:!?…。，、"
    return title if alone and any(character.isalpha() for character in title) else ""


def _fits(title: str) -> bool:
    return 0 < len(title) <= LONGEST and len(title.split()) <= MOST_WORDS


def _first_lines(text: str) -> list[str]:
    """Return the first lines, and an empty one after them."""
    # one line may be as long as the file
    return [*islice(text[: SEARCHED * 1000].split("\n"), SEARCHED), ""]
