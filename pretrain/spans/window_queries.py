"""Queries that are windows of a passage's words, by a transform that chooses ranges."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from spider.questions.transforms.passage_query import PassageQuery, SpanPassage
from spider.questions.transforms.query_ranges import QueryRanges, QueryTransform, Range
from spider.text.word_scanner import code_points, scan_words


class WindowQueries:
    """Makes text of a transform that chooses ranges of words.

    The units are words (tokens with a letter or digit; see :mod:`spider.text.words`). The query is
    the raw text of the chosen words, with the casing and punctuation between them; white space
    becomes single spaces, and one space joins the two sides of a removed span. A removed span is
    removed at each of its occurrences in the window.

    Args:
        transform: chooses the ranges.
    """

    def __init__(self, transform: QueryTransform):
        self.transform = transform

    def span_query(self, passage: SpanPassage, rng: np.random.Generator) -> PassageQuery:
        """Make the query."""
        text = passage.text
        words = passage_words(text)
        occurrences = [
            (int(np.searchsorted(words.starts, start)), int(np.searchsorted(words.ends, end)) + 1)
            for start, end in passage.occurrences
        ]
        result = self.transform.ranges(len(words.starts), occurrences, passage.chosen, rng)
        ranges = result.ranges if result.kept_span else _without(result, occurrences)
        pieces = (text[words.starts[a] : words.ends[b - 1]] for a, b in ranges if a < b)
        return PassageQuery(" ".join(" ".join(pieces).split()), result.kept_span, "window")


class WordBounds(NamedTuple):
    """The starts and ends of a passage's words, in code points."""

    starts: np.ndarray
    ends: np.ndarray


def passage_words(passage: str) -> WordBounds:
    """Return a passage's words: its tokens that are not single characters of punctuation."""
    words = scan_words(code_points(passage))
    kept = [
        number
        for number, (start, end) in enumerate(zip(words.starts, words.ends, strict=True))
        if end - start > 1 or passage[start].isalnum()
    ]
    return WordBounds(words.starts[kept], words.ends[kept])


def _without(result: QueryRanges, occurrences: Sequence[Range]) -> Sequence[Range]:
    """Remove every occurrence from the ranges, but not if nothing would be left."""
    taken = {unit for start, end in occurrences for unit in range(start, end)}
    pieces: list[list[int]] = []
    for start, end in result.ranges:
        for unit in range(start, end):
            if unit in taken:
                continue
            if pieces and pieces[-1][1] == unit:
                pieces[-1][1] = unit + 1
            else:
                pieces.append([unit, unit + 1])
    return [(start, end) for start, end in pieces] or result.ranges
