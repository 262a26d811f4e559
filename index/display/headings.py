"""The heading above a place in a document's text."""

import re
from collections.abc import Iterator

from spider.printable import printable

#: headings are looked for in this many code points above the place
REACH = 200_000
LONGEST = 100

_FENCE = ("```", "~~~")
_HASHES = re.compile(r" {0,3}#{1,6}[ \t]+(?=\S)")
_UNDERLINE = re.compile(r"([=\-~^\"'*+])\1{2,}$")
#: a definition that the source of Python's documentation sets above its docstring
_DEFINITION = re.compile(r"(?:class )?[\w.]+(?:\(.*\))?$")
_OF_PYTHON = "module/"


def heading_above(text: str, place: int, *, document_id: str = "") -> str:
    """Return the last heading that begins at or before a place, on one line; empty if none does.

    Headings are lines of Markdown and of reStructuredText, and in Python's documentation the line
    of a class or function.

    Args:
        text: the document's text.
        place: a code point in it.
        document_id: tells which headings the text can have.
    """
    begin = max(0, place - REACH)
    found = _definitions if document_id.startswith(_OF_PYTHON) else _headings
    heading = ""
    # the line of the place may itself be a heading, which the line below underlines
    for start, line in found(_numbered(text, begin, place)):
        if start > place:
            break
        heading = line
    heading = " ".join(printable(heading).split())
    return heading if len(heading) <= LONGEST else f"{heading[: LONGEST - 1]}…"


def _numbered(text: str, begin: int, place: int) -> list[tuple[int, str]]:
    """Return lines with their places: from the beginning to the line after that of the place."""
    end = text.find("\n", place)
    end = text.find("\n", end + 1) if end >= 0 else -1
    lines = []
    at = begin
    for line in text[begin : len(text) if end < 0 else end].split("\n"):
        lines.append((at, line.rstrip()))
        at += len(line) + 1
    return lines


def _headings(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the headings of Markdown and reStructuredText outside of fenced code."""
    fence = ""
    before = (0, "")
    for start, line in lines:
        mark = line.lstrip()[:3]
        if fence or mark in _FENCE:
            fence = "" if mark == fence else fence or mark
            before = (0, "")
            continue
        if hashes := _HASHES.match(line):
            yield start, line[hashes.end() :].rstrip("# \t")
        elif before[1] and not before[1][0].isspace() and _UNDERLINE.match(line):
            yield before
        before = (0, "") if _UNDERLINE.match(line) else (start, line)


def _definitions(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the lines of classes and functions: after an empty line, before a docstring."""
    for (_, above), (start, line), (_, below) in zip(
        [(0, ""), *lines], lines, [*lines[1:], (0, ".")], strict=False
    ):
        named = line.startswith("class ") or line.endswith(")")
        if not above and below and not below[0].isspace() and named and _DEFINITION.match(line):
            yield start, line
