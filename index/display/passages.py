"""Prints what was found for a question on a terminal."""

import shutil
import sys
from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

from index.display.finding import Finding, Found
from index.display.layout import rows_of
from index.display.snippet import ELLIPSIS, choose_rows, marks_in, wanted_words
from spider.console import say
from spider.printable import printable

MARK = "bold green"
FAINT = "dim"
DOUBT = "yellow"
INDENT = "    "
WIDEST = 101
"""Columns of text; longer rows are hard to read."""
FITS = ((4, True), (3, True), (2, True), (2, False), (1, False))
"""Rows of each passage, and whether an empty row follows: the first that fits is taken."""
SCORES = "A higher score is better; compare scores within one list only."
SHARES = " The percentages are the parts of a score: dense by meaning, bm25 by words."


class Screen(NamedTuple):
    """The size of a terminal.

    Attributes:
        width: columns for a row.
        height: rows; None where nothing scrolls away, since the output is no terminal.
    """

    width: int
    height: int | None


def screen() -> Screen:
    """Return the size of the terminal that standard output is."""
    if not sys.stdout.isatty():
        return Screen(WIDEST, None)
    columns, rows = shutil.get_terminal_size()
    return Screen(min(columns, WIDEST), rows)


def show(finding: Finding, *, full: bool = False, explain: bool = True) -> None:
    """Print the question and its passages.

    Passages are shortened so that all of them fit on the terminal. Where they do not fit, the best
    one comes last, since the last rows stay in view.

    Args:
        finding: what was found.
        full: print whole passages.
        explain: end with a sentence about scores.
    """
    for row in arrange(finding, screen(), full=full, explain=explain):
        say(row)


def arrange(
    finding: Finding, size: Screen, *, full: bool = False, explain: bool = True
) -> list[Text]:
    """Return the rows of :func:`show`."""
    head = [Text(printable(finding.question), style="bold")]
    if not finding.found:
        return [*head, Text("no passage was found")]
    notes = [
        Text(row, style=style)
        for note, style in _notes(finding, explain=explain)
        for row in rows_of(note, size.width)
    ]
    for height, gap in [(None, True)] if full else FITS:
        blocks = [_block(one, finding.question, size, height) for one in finding.found]
        rows = [*head, *_joined(blocks, gap=gap), *notes]
        # the last row holds the next prompt
        # a path that is wider than the terminal takes more rows
        if size.height is None or sum(_lines(row, size) for row in rows) < size.height:
            return rows
    last = Text("The best passage comes last, where it stays in view.", style=FAINT)
    return [*head, *_joined(blocks[::-1], gap=gap), *notes, last]


def whole_passage(one: Found, question: str) -> list[Text]:
    """Return the rows of one passage, whole."""
    return _block(one, question, screen(), None)


def _lines(row: Text, size: Screen) -> int:
    return max(1, -(-row.cell_len // size.width))


def _joined(blocks: Sequence[Sequence[Text]], *, gap: bool) -> list[Text]:
    end = [Text()] if gap else []
    return [row for block in blocks for row in [*block, *end]]


def _notes(finding: Finding, *, explain: bool) -> list[tuple[str, str]]:
    notes = []
    if sentence := finding.match.sentence():
        notes.append((sentence, DOUBT))
    if finding.cut:
        notes.append(("The question has more words than are searched; some were left out.", DOUBT))
    if finding.left_out:
        few = "passage was" if finding.left_out == 1 else "passages were"
        notes.append(
            (f"{finding.left_out} {few} left out for other documents: per_document=0 shows all.",
             FAINT)
        )  # fmt: skip
    if explain:
        several = any(len(one.hit.shares) > 1 for one in finding.found)
        notes.append((SCORES + (SHARES if several else ""), FAINT))
    return notes


def _block(one: Found, question: str, size: Screen, height: int | None) -> list[Text]:
    """Return the rows of a passage: title and heading, place and score, then its text."""
    hit = one.hit
    title = Text(f"{hit.rank:>2}  ")
    title.append(printable(hit.title or hit.source), style="bold")
    if one.heading:
        title.append(f" › {printable(one.heading)}")
    title.truncate(size.width, overflow="ellipsis")
    shares = "  ".join(f"{name} {share:.0%}" for name, share in hit.shares.items())
    facts = Text(f"[{printable(hit.id)}]  score {hit.score:.3f}  {shares}", style=FAINT)
    where = [] if one.place is None else [Text(printable(one.place.shown()))]
    one_row = Text("  ").join([*where, facts])
    fits = size.height is None or len(INDENT) + one_row.cell_len <= size.width
    about = [Text(INDENT) + part for part in ([one_row] if fits else [*where, facts])]
    wanted = wanted_words(question)
    rows = rows_of(hit.text, max(size.width - len(INDENT) - len(ELLIPSIS), 1))
    if height is not None:
        rows = choose_rows(rows, wanted, height)
    return [title, *about, *(_marked(row, wanted) for row in rows)]


def _marked(row: str, wanted: frozenset[str]) -> Text:
    text = Text(f"{INDENT}{row}" if row else "")
    for start, end in marks_in(row, wanted):
        text.stylize(MARK, len(INDENT) + start, len(INDENT) + end)
    return text
