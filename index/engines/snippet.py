"""The part of a passage that is displayed for a question, with the question's words marked."""

from typing import NamedTuple

import numpy as np

from spider.text.stop_words import NOT_HIGHLIGHTED
from spider.text.words import WORD_CHARACTERS

SHORTEST = 3
ELLIPSIS = "…"


class Snippet(NamedTuple):
    """Text on one line, with the places of the question's words.

    Attributes:
        text: with single spaces for all white space, cut at words.
        marks: (start, end) of each question word, in code points of ``text``.
    """

    text: str
    marks: tuple[tuple[int, int], ...]


def make_snippet(passage: str, question: str, width: int = 240) -> Snippet:
    """Choose the part of about ``width`` code points that contains most question words."""
    text = " ".join(passage.split())
    wanted = {_stem(word) for word in WORD_CHARACTERS.findall(question) if _counts(word)}
    marks = [m.span() for m in WORD_CHARACTERS.finditer(text) if _stem(m.group()) in wanted]
    if len(text) <= width:
        return Snippet(text, tuple(marks))
    starts = np.array([start for start, _ in marks], dtype=np.int64)
    held = np.searchsorted(starts, starts + width, side="right") - np.arange(len(starts))
    first = int(starts[int(np.argmax(held))]) if len(starts) else 0
    begin = max(0, min(first - width // 4, len(text) - width))
    begin = 0 if begin == 0 else text.find(" ", begin) + 1
    end = begin + width
    end = len(text) if end >= len(text) else max(text.rfind(" ", begin, end), begin + width // 2)
    before = ELLIPSIS if begin else ""
    after = ELLIPSIS if end < len(text) else ""
    shift = len(before) - begin
    kept = tuple((s + shift, e + shift) for s, e in marks if s >= begin and e <= end)
    return Snippet(before + text[begin:end] + after, kept)


def _counts(word: str) -> bool:
    return len(word) >= SHORTEST and word.casefold() not in NOT_HIGHLIGHTED


def _stem(word: str) -> str:
    folded = word.casefold()
    return folded[:-1] if len(folded) > SHORTEST and folded.endswith("s") else folded
