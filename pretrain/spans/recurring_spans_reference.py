"""Recurring spans of one document, by their definition: readable, but partly quadratic in time.

The readable reference of :mod:`pretrain.spans.recurring_spans`: tests check that the two agree.
Source: Ram et al. 2022, sections 3.1 and 4.4, and ``DocumentProcessor`` of the released
``preprocess_corpus.py`` (its ``_filter_sub_clusters`` is :func:`stands_inside`).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from pretrain.spans.span_filters import SpanFilter
from spider.text.words import WORD, is_plain, word_key


class Occurrence(NamedTuple):
    """One occurrence: the passage's number in the document, and code points in its text."""

    passage: int
    start: int
    end: int


Span = tuple[str, ...]


def find_clusters_reference(
    passages: Sequence[str], *, title: str, span_filter: SpanFilter
) -> list[tuple[Span, list[Occurrence]]]:
    """Find a document's recurring spans.

    Args:
        passages: the texts of its candidate passages, in order.
        title: title of the document.
        span_filter: rules for the spans.

    Returns:
        Span and occurrences, by length, then by first occurrence.
    """
    title_words = {word_key(word) for word in WORD.findall(title)}
    found: dict[Span, list[Occurrence]] = defaultdict(list)
    for number, passage in enumerate(passages):
        for span, start, end in enumerate_spans(passage, span_filter):
            if span_filter.accepts(span, title_words):
                found[span].append(Occurrence(number, start, end))
    clusters = {span: where for span, where in found.items() if _passages(where) >= 2}
    by_count: dict[int, list[tuple[str, list[Occurrence]]]] = defaultdict(list)
    for span, where in clusters.items():
        by_count[len(where)].append((" ".join(span), where))
    kept = [
        (span, where)
        for span, where in clusters.items()
        if not any(
            stands_inside(" ".join(span), where, longer, around)
            for longer, around in by_count[len(where)]
        )
        and _passages(where) < len(passages)
    ]
    return sorted(kept, key=lambda cluster: (len(cluster[0]), cluster[1][0]))


def enumerate_spans(passage: str, span_filter: SpanFilter) -> list[tuple[Span, int, int]]:
    """Return every n-gram of plain words that the lengths allow, with its code points."""
    matches = list(WORD.finditer(passage))
    if not span_filter.last_token_allowed:
        matches = matches[:-1]
    spans = []
    for first in range(len(matches)):
        words: list[str] = []
        for match in matches[first : first + span_filter.maximum_words]:
            if not is_plain(passage, match.start(), match.end()):
                break
            words.append(word_key(match.group()))
            if len(words) >= span_filter.minimum_words:
                spans.append((tuple(words), matches[first].start(), match.end()))
    return spans


def stands_inside(
    text: str, occurrences: Sequence[Occurrence], longer: str, around: Sequence[Occurrence]
) -> bool:
    """Return whether every occurrence of a span is a part of an occurrence of a longer one."""
    return (
        len(longer) > len(text)
        and text in longer
        and len(occurrences) == len(around)
        and all(
            inner.passage == outer.passage and inner.start >= outer.start and inner.end <= outer.end
            for inner, outer in zip(occurrences, around, strict=True)
        )
    )


def _passages(occurrences: Sequence[Occurrence]) -> int:
    return len({occurrence.passage for occurrence in occurrences})
