"""Recurring spans of one document, in time linear in the number of their occurrences.

Words become integers. An n-gram's number is found by the pair of its two (n-1)-grams' numbers, if
both recur in two passages: a longer span recurs no more often than its parts. Maximality is decided
from long spans to short ones. If a span's extension by one word occurs as often, both have the same
occurrences. The span is then dropped if the extension is accepted, or lies inside an accepted span.
All lookups compare keys, not only hashes: the result is exact, and equals that of the slow
:mod:`pretrain.spans.recurring_spans_reference`.

Source: Ram et al. 2022, sections 3.1 and 4.4; rules in :class:`SpanFilter`.
"""

from collections.abc import Sequence
from typing import no_type_check

import numpy as np

from pretrain.spans.span_filters import SpanFilter
from spider.compilation import njit
from spider.spans.clusters import Clusters, Occurrences
from spider.text.stop_words import SPLINTER
from spider.text.word_scanner import code_points, scan_words

# the stop words and the title are scanned before the passages, so that their ids are known
_STOP_TEXT = " ".join(sorted(SPLINTER)) + "\n"


def find_clusters(
    passages: Sequence[str], *, title: str, first_position: int, span_filter: SpanFilter
) -> tuple[Clusters, int]:
    """Find a document's recurring spans.

    Args:
        passages: the texts of its candidate passages, in order.
        title: title of the document.
        first_position: position of the first passage in the corpus; the others follow it.
        span_filter: rules for the spans.

    Returns:
        The clusters by length, then by first occurrence; and the number of tokens scanned.
    """
    head = _STOP_TEXT + title + "\n"
    text = head + "\n".join(passages)
    borders = np.cumsum([len(head), *(len(passage) + 1 for passage in passages)])
    words = scan_words(code_points(text))
    before = int(np.searchsorted(words.starts, len(head)))
    marks = _word_marks(words.ids, before, int(words.ids.max()) + 1)
    starts, ends = words.starts[before:], words.ends[before:]
    owners = (np.searchsorted(borders, starts, side="right") - 1).astype(np.int32)
    sizes, lengths, tokens = _find(
        words.ids[before:],
        words.plain[before:],
        owners,
        marks,
        len(passages),
        span_filter.minimum_words,
        span_filter.maximum_words,
        span_filter.last_token_allowed,
        span_filter.stop_words == "not_at_ends",
        2.0 if span_filter.max_title_overlap is None else span_filter.max_title_overlap,
    )
    offsets = borders[owners[tokens]]
    last = tokens + np.repeat(lengths, sizes).astype(np.int64) - 1
    occurrences = Occurrences(
        first_position + owners[tokens].astype(np.int64),
        (starts[tokens] - offsets).astype(np.int32),
        (ends[last] - offsets).astype(np.int32),
    )
    return Clusters(lengths, sizes, occurrences), len(starts)


def _word_marks(ids: np.ndarray, before: int, total: int) -> np.ndarray:
    """Return for each word id: 1 for a stop word, 2 for a word of the title, 3 for both."""
    marks = np.zeros(total, dtype=np.uint8)
    stops = len(SPLINTER)
    marks[ids[stops:before]] = 2
    marks[:stops] += 1
    return marks


@njit
@no_type_check
def _find(
    ids, plain, owners, marks, passages, shortest, longest, last_allowed, not_at_ends, overlap
):
    """Return sizes and lengths of the clusters, and their occurrences' first tokens."""
    levels, counts, spread, firsts, borders = _recurring(
        ids, _tokens_left(plain, owners, last_allowed), owners, len(marks), longest
    )
    groups = len(counts)
    accepted = np.zeros(groups, dtype=np.bool_)
    for level in range(shortest, longest + 1):
        for group in range(borders[level], borders[level + 1]):
            first = firsts[group]
            accepted[group] = _accepts(ids, marks, first, level, not_at_ends, overlap)
    inside = _inside_accepted(levels, counts, firsts, borders, accepted)
    kept = accepted & ~inside & (spread < passages)
    return _gather(levels, counts, borders, kept)


@njit
@no_type_check
def _gather(levels, counts, borders, kept):
    """Return the kept groups' sizes, lengths and first tokens; groups are in level order."""
    chosen = np.flatnonzero(kept)
    sizes = counts[chosen].astype(np.int64)
    place = np.full(len(counts), -1, dtype=np.int64)
    total = 0
    for group in chosen:
        place[group] = total
        total += counts[group]
    lengths = np.empty(len(chosen), dtype=np.uint8)
    tokens = np.empty(total, dtype=np.int64)
    for level in range(1, len(levels) - 1):
        first, last = np.searchsorted(chosen, borders[level : level + 2])
        lengths[first:last] = level
        if first == last:
            continue
        for token in range(levels.shape[1]):
            group = levels[level, token]
            if group >= 0 and place[group] >= 0:
                tokens[place[group]] = token
                place[group] += 1
    return sizes, lengths, tokens


@njit
@no_type_check
def _tokens_left(plain, owners, last_allowed):
    """Return the longest span, in words, that may begin at each token."""
    total = len(plain)
    tokens_left = np.zeros(total, dtype=np.int32)
    for token in range(total - 1, -1, -1):
        is_last = token == total - 1 or owners[token + 1] != owners[token]
        if plain[token] and (last_allowed or not is_last):
            tokens_left[token] = 1 if is_last else tokens_left[token + 1] + 1
    return tokens_left


@njit
@no_type_check
def _recurring(ids, tokens_left, owners, vocabulary, longest):
    """Number the n-grams that recur in two passages.

    Returns:
        The group of the n-gram at each token, by level n (-1: none that recurs); each group's
        occurrences, passages and first token; the first group of each level.
    """
    total = len(ids)
    levels = np.full((longest + 2, total), -1, dtype=np.int32)
    capacity = total * longest // 2 + 1
    counts = np.empty(capacity, dtype=np.int32)
    spread = np.empty(capacity, dtype=np.int32)
    firsts = np.empty(capacity, dtype=np.int32)
    borders = np.zeros(longest + 3, dtype=np.int64)
    active = np.flatnonzero(tokens_left > 0).astype(np.int32)
    names = ids[active]
    named = vocabulary
    groups = 0
    for level in range(1, longest + 1):
        borders[level] = groups
        if level > 1:
            active, names, named = _pairs(levels[level - 1], active, tokens_left, level)
        kept = _tally(names, named, active, owners, groups, counts, spread, firsts)
        filled = 0
        for step in range(len(active)):
            group = kept[names[step]]
            if group >= 0:
                levels[level, active[step]] = group
                active[filled] = active[step]
                filled += 1
                groups = max(groups, group + 1)
        active = active[:filled]
    borders[longest + 1] = groups
    borders[longest + 2] = groups
    return levels, counts[:groups], spread[:groups], firsts[:groups], borders


@njit
@no_type_check
def _pairs(shorter, active, tokens_left, level):
    """Name the n-grams at the tokens whose two (n-1)-grams recur, by first appearance."""
    tokens = np.empty(len(active), dtype=np.int32)
    names = np.empty(len(active), dtype=np.int32)
    size = 16
    while size < 2 * len(active):
        size *= 2
    table = np.full(size, -1, dtype=np.int32)
    keys = np.empty(len(active), dtype=np.int64)
    filled = 0
    named = 0
    for token in active:
        if tokens_left[token] < level or shorter[token + 1] < 0:
            continue
        key = (np.int64(shorter[token]) << 32) | np.int64(shorter[token + 1])
        mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
        slot = np.int64((mixed ^ (mixed >> np.uint64(32))) & np.uint64(size - 1))
        while table[slot] >= 0 and keys[table[slot]] != key:
            slot = (slot + 1) & (size - 1)
        if table[slot] < 0:
            table[slot] = named
            keys[named] = key
            named += 1
        tokens[filled] = token
        names[filled] = table[slot]
        filled += 1
    return tokens[:filled], names[:filled], named


@njit
@no_type_check
def _tally(names, named, active, owners, groups, counts, spread, firsts):
    """Assign the next groups to the names that recur in two passages, by first appearance."""
    times = np.zeros(named, dtype=np.int32)
    passages = np.zeros(named, dtype=np.int32)
    last = np.full(named, -1, dtype=np.int32)
    for step in range(len(active)):
        name = names[step]
        times[name] += 1
        if owners[active[step]] != last[name]:
            last[name] = owners[active[step]]
            passages[name] += 1
    kept = np.full(named, -1, dtype=np.int32)
    for step in range(len(active)):
        name = names[step]
        if passages[name] >= 2 and kept[name] < 0:
            kept[name] = groups
            counts[groups] = times[name]
            spread[groups] = passages[name]
            firsts[groups] = active[step]
            groups += 1
    return kept


@njit
@no_type_check
def _accepts(ids, marks, first, length, not_at_ends, overlap):
    """Apply the rules of SpanFilter.accepts to the span at a token."""
    stops = 0
    in_title = 0
    for token in range(first, first + length):
        stops += marks[ids[token]] & 1
        in_title += marks[ids[token]] >> 1
    if stops == length or in_title > overlap * length:
        return False
    at_ends = (marks[ids[first]] | marks[ids[first + length - 1]]) & 1
    return not (not_at_ends and at_ends)


@njit
@no_type_check
def _inside_accepted(levels, counts, firsts, borders, accepted):
    """Return which groups have the same occurrences as a longer accepted group around them."""
    inside = np.zeros(len(counts), dtype=np.bool_)
    for level in range(len(levels) - 3, 0, -1):
        for group in range(borders[level], borders[level + 1]):
            for step in range(2):
                first = firsts[group] - step
                longer = levels[level + 1, first] if first >= 0 else -1
                if longer >= 0 and counts[longer] == counts[group]:
                    inside[group] |= accepted[longer] or inside[longer]
    return inside
