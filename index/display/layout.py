"""Lays a passage out in rows for a terminal: prose is filled, and code and lists keep their lines.

A passage is cut from a file, whose lines may be broken anywhere. Lines of prose are joined and
broken at the width of the terminal. A line keeps its break and its indentation where it carries
meaning: in code, lists, tables, headings and short lines.
"""

import re
from collections.abc import Iterator

from rich.cells import cell_len

from spider.printable import LINE_FEED, TAB, printable

TAB_WIDTH = 4
#: a line of prose that is this long was broken by an editor, so the next line continues it
FULL_LINE = 50
#: columns that are left for text, however deep a line is indented
NARROWEST = 20

_FENCE = re.compile(r"^\s*(```|~~~)")
_ITEM = re.compile(r"^\s*(?:[-*+\u2022\u2013]|\(?\d{1,3}[.)]|\(?[A-Za-z][.)])\s+")
_KEPT = re.compile(r"^(?:\s{2,}|\s*(?:#{1,6}\s|\||>|\$\s|[=\-~^\"*+#_]{3,}\s*$))")
# without the lookbehind, blanks at the end of a line are tried from each of them
_WORDS = re.compile(r"(?<!\s)\s*+\S++")


def rows_of(text: str, width: int) -> list[str]:
    """Return a text as rows of at most ``width`` columns, with one empty row between paragraphs.

    Args:
        text: any text; control characters are shown.
        width: columns of the terminal.
    """
    rows: list[str] = []
    for line in _lines(printable(text, keep=TAB + LINE_FEED)):
        if line or (rows and rows[-1]):
            rows.extend(_wrapped(line, width))
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _lines(text: str) -> Iterator[str]:
    """Yield lines, with prose joined to one line a paragraph."""
    prose = last = ""
    fenced = False
    for raw in text.expandtabs(TAB_WIDTH).split("\n"):
        line = raw.rstrip()
        fence = _FENCE.match(line) is not None
        kept = fenced or fence or not line or _ITEM.match(line) or _KEPT.match(line)
        goes_on = not kept or (line and not fenced and not fence and _is_of_item(prose, line))
        if prose and goes_on and _continues(last, line):
            prose = f"{prose} {line.strip()}"
        else:
            if prose:
                yield prose
            # an item of a list may go on in the next line, as prose does
            joins = not fenced and not fence and line and (not kept or _ITEM.match(line))
            prose = line if joins else ""
            if not joins:
                yield line
        last = line
        fenced ^= fence
    if prose:
        yield prose


def _is_of_item(prose: str, line: str) -> bool:
    """Tell whether a line is indented like the text of the item of a list before it."""
    item = _ITEM.match(prose)
    indent = len(line) - len(line.lstrip())
    return item is not None and item.end() == indent and not _ITEM.match(line)


def _continues(before: str, line: str) -> bool:
    return len(before) >= FULL_LINE or line.lstrip()[:1].islower()


def _wrapped(line: str, width: int) -> Iterator[str]:
    """Yield the rows of one line; the second row and later ones are indented like its text."""
    if cell_len(line) <= width:
        yield line
        return
    item = _ITEM.match(line)
    lead = item.end() if item else len(line) - len(line.lstrip())
    indent = " " * min(lead, max(0, width - NARROWEST))
    row, used = "", 0
    for word in _WORDS.findall(line):
        size = cell_len(word)
        if row.strip() and used + size > width:
            yield row
            word = word.lstrip()
            row, used = indent, len(indent)
            size = cell_len(word)
        if used + size > width:
            # a word that is longer than a row, such as a line of Chinese
            *whole, row = _cut(word, width, row, indent)
            yield from whole
            used = cell_len(row)
        else:
            row, used = row + word, used + size
    if row.strip():
        yield row


def _cut(word: str, width: int, row: str, indent: str) -> list[str]:
    """Return rows that hold a long word; the first continues ``row``, the last may be filled up."""
    rows = []
    start, used = 0, cell_len(row)
    for place, character in enumerate(word):
        size = cell_len(character)
        if used + size > width and (place > start or row.strip()):
            rows.append(row + word[start:place])
            row, start, used = indent, place, len(indent)
        used += size
    return [*rows, row + word[start:]]
