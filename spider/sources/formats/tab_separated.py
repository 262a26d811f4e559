"""Tab-separated files, with or without CSV's quoting; a row is always one line.

DPR's files are quoted as Python's csv module writes them: a field that holds marks stands between
two more, and each of its own is doubled. Most other files have no quoting, and a quotation mark is
a sign like any other. Read with the csv module, such a file loses marks, and a mark without its
partner merges all rows up to the next one. So no field goes over the end of its line here.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from spider.errors import DataError
from spider.sources.text_files import TextLine, read_text_lines

# read before the first row: whether marks are quoting is decided by these lines
SAMPLE_LINES = 10_000
SAMPLE_CHARACTERS = 16_000_000
MARK = '"'

# a field that opens with a mark and closes before the next tab or the end of the line
_QUOTED = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"')
_FIELD = re.compile(r'(?:(?<=\t)|^)(?:"[^"]*+(?:""[^"]*+)*+"(?=\t|$)|[^\t]*)')


class Row(NamedTuple):
    """The fields of one line, and its number from 1."""

    number: int
    fields: list[str]


def read_tab_separated(
    path: Path, *, columns: int | None = None, quoted: bool | None = False
) -> Iterator[Row]:
    """Yield the rows of a tab-separated file; empty lines are skipped.

    Args:
        path: the file, plain or compressed.
        columns: number of fields of every row; None takes that of the first.
        quoted: whether a field between two ``"`` is quoted as the csv module writes it. None
            decides by the first 10,000 lines. If some marks cannot be quoting (``"Silt is gold",
            he said``) and no field is quoted for certain (``""`` inside it), all marks are the
            text's own. Else a field that is quoted from end to end is read without its quotes,
            and every other field as it stands.

    Raises:
        DataError: a row has another number of fields, or a quoted field goes over several lines.
    """
    lines = read_text_lines(path)
    undecided = quoted is None
    sample, damage = _sample(lines) if undecided else ([], None)
    if _marks_are_text(sample, columns):
        quoted = False
    open_since = 0
    for line in chain(sample, lines):
        if not line.text:
            continue
        fields = _fields(line, quoted, columns, path)
        if columns is None:
            columns = len(fields)
        if len(fields) != columns:
            opened = line.number if any(map(_is_open, fields)) else open_since
            raise _wrong_number(line, len(fields), columns, opened * undecided, path)
        if _is_open(fields[-1]):
            open_since = line.number
        yield Row(line.number, fields)
    if damage is not None:
        raise damage


def _fields(line: TextLine, quoted: bool | None, columns: int | None, path: Path) -> list[str]:
    text = line.text
    if quoted is False or MARK not in text:
        return text.split("\t")
    if quoted:
        return _strict(line, path)
    cells = text.split("\t")
    if columns is not None and len(cells) > columns:
        # a tab inside a quoted field
        found = [_unquote(cell) for cell in _cells_with_tabs(text)]
        if len(found) == columns:
            return found
    return [_unquote(cell) for cell in cells]


def _strict(line: TextLine, path: Path) -> list[str]:
    """Split a line of a file whose fields are quoted for certain."""
    fields = []
    for cell in _cells_with_tabs(line.text):
        if cell.startswith(MARK) and not _QUOTED.fullmatch(cell):
            closed = _QUOTED.match(cell)
            what = "closes before its end" if closed else "does not close on its line"
            raise DataError(
                f"a field opens with a quotation mark and {what}: {cell[:40]!r}; a field over "
                "several lines is not read; quoted=false reads marks as signs of the text",
                path=path,
                line=line.number,
            )
        fields.append(_unquote(cell))
    return fields


def _cells_with_tabs(text: str) -> list[str]:
    """Split at the tabs that are outside of quoted fields."""
    return [match[0] for match in _FIELD.finditer(text)]


def _unquote(cell: str) -> str:
    quoted = _QUOTED.fullmatch(cell) if cell.startswith(MARK) else None
    return cell if quoted is None else quoted[1].replace('""', MARK)


def _is_open(field: str) -> bool:
    """Return whether a field opens with a mark that nothing closes."""
    return field.startswith(MARK) and _QUOTED.match(field) is None


def _sample(lines: Iterator[TextLine]) -> tuple[list[TextLine], DataError | None]:
    """Return the first lines, and the error that ended them early, if one did."""
    sample: list[TextLine] = []
    characters = 0
    try:
        for line in lines:
            sample.append(line)
            characters += len(line.text)
            if len(sample) == SAMPLE_LINES or characters > SAMPLE_CHARACTERS:
                break
    except DataError as error:
        return sample, error
    return sample, None


def _marks_are_text(sample: list[TextLine], columns: int | None) -> bool:
    """Return whether marks in these lines are signs of the text, and no field is quoted."""
    stray = False
    for line in sample:
        cells = line.text.split("\t")
        columns = columns or len(cells)
        if MARK not in line.text:
            continue
        if len(cells) > columns and len(_cells_with_tabs(line.text)) == columns:
            # a tab inside a quoted field
            return False
        for cell in cells:
            if MARK not in cell:
                continue
            quoted = _QUOTED.fullmatch(cell)
            if quoted is None:
                stray = True
            elif MARK in quoted[1]:
                return False
    return stray


def _wrong_number(line: TextLine, got: int, columns: int, opened: int, path: Path) -> DataError:
    message = f"expected {columns} fields separated by tabs, got {got}"
    if opened:
        message += (
            f"; a field that opens with a quotation mark in line {opened} may go over several "
            "lines, which is not read"
        )
    elif "\r" in line.text:
        message += "; the line holds a lone carriage return: is it the end of a line?"
    return DataError(message, path=path, line=line.number)
