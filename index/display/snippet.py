"""The rows of a passage that are displayed for a question, and the question's words in them."""

from collections.abc import Sequence

from spider.text.stop_words import NOT_HIGHLIGHTED
from spider.text.words import WORD_CHARACTERS

SHORTEST = 3
ELLIPSIS = "…"


def wanted_words(question: str) -> frozenset[str]:
    """Return the words of a question that are looked for in a passage, without their plural."""
    return frozenset(_stem(word) for word in WORD_CHARACTERS.findall(question) if _counts(word))


def marks_in(row: str, wanted: frozenset[str]) -> list[tuple[int, int]]:
    """Return (start, end) of each of the wanted words in a row."""
    return [m.span() for m in WORD_CHARACTERS.finditer(row) if _stem(m.group()) in wanted]


def best_line(text: str, wanted: frozenset[str]) -> int:
    """Return where the line of a text begins that has most of the wanted words, or 0."""
    best, place, start = 0, 0, 0
    for line in text.split("\n"):
        found = len(wanted.intersection(map(_stem, WORD_CHARACTERS.findall(line))))
        if found > best:
            best, place = found, start
        start += len(line) + 1
    return place


def choose_rows(rows: Sequence[str], wanted: frozenset[str], height: int) -> list[str]:
    """Return the ``height`` rows that hold most of the question.

    Different words count first, then all of them; of equal places, the first one with one row above
    the first word. An ellipsis stands where text is left out.
    """
    filled = [row for row in rows if row.strip()]
    if len(filled) <= height:
        return filled
    found = [[_stem(word) for word in WORD_CHARACTERS.findall(row)] for row in filled]
    hits = [[word for word in words if word in wanted] for words in found]

    def value(first: int) -> tuple[int, int, int, int]:
        window = hits[first : first + height]
        inside = [word for row in window for word in row]
        above = next((place for place, row in enumerate(window) if row), 0)
        return len(set(inside)), len(inside), -abs(above - 1), -first

    first = max(range(len(filled) - height + 1), key=value)
    chosen = filled[first : first + height]
    # rows from inside of a block of code would stand far to the right
    spare = min(len(row) - len(row.lstrip()) for row in chosen)
    chosen = [row[spare:] for row in chosen]
    if first:
        indent = len(chosen[0]) - len(chosen[0].lstrip())
        chosen[0] = f"{chosen[0][:indent]}{ELLIPSIS}{chosen[0][indent:]}"
    if first + height < len(filled):
        chosen[-1] += ELLIPSIS
    return chosen


def _counts(word: str) -> bool:
    return len(word) >= SHORTEST and word.casefold() not in NOT_HIGHLIGHTED


def _stem(word: str) -> str:
    folded = word.casefold()
    return folded[:-1] if len(folded) > SHORTEST and folded.endswith("s") else folded
