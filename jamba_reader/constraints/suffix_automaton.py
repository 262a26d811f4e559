"""The suffix automaton of several sequences, built online in numba (Blumer et al. 1985, 1987).

A state is a class of substrings that end at the same places. ``n`` symbols give at most ``2n``
states and ``3n`` edges, whatever the alphabet. During construction the edges are in one hash table,
and in a linked list for each state, which a clone copies. Afterwards they are sorted by state and
symbol.
"""

from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Int32, Int64

from jamba_reader.constraints.counting_sort import by_length, counting_sort
from spider.compilation import njit

ROOT = 0
NONE = -1
#: the multiplier of Fibonacci hashing: 2^64 divided by the golden ratio
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class AutomatonArrays(NamedTuple):
    """The arrays of an automaton.

    Attributes:
        links: suffix link of each state: the longest suffix that ends at more places; NONE for the
            root.
        lengths: number of symbols of the longest substring of each state.
        first_ends: end of each state's first occurrence in the joined symbols.
        counts: occurrences of each state's substrings in all sequences.
        edge_starts: first edge of each state, and the number of edges at the end.
        edge_symbols: symbol of each edge, ascending within a state.
        edge_targets: target state of each edge.
    """

    links: Int32[np.ndarray, " states"]
    lengths: Int32[np.ndarray, " states"]
    first_ends: Int32[np.ndarray, " states"]
    counts: Int32[np.ndarray, " states"]
    edge_starts: Int64[np.ndarray, " states_plus_one"]
    edge_symbols: Int32[np.ndarray, " edges"]
    edge_targets: Int32[np.ndarray, " edges"]


def build_arrays(
    symbols: Int32[np.ndarray, " symbols"], starts: Int64[np.ndarray, " sequences_plus_one"]
) -> AutomatonArrays:
    """Build the automaton of several sequences; no substring crosses from one into the next.

    Args:
        symbols: all sequences, joined; no symbol is negative.
        starts: start of each sequence, and the total number of symbols.
    """
    states, edges, prefix_states = _extend_all(symbols, starts)
    links, lengths = states[:, LINK].copy(), states[:, LENGTH].copy()
    first_ends = states[:, FIRST_END].copy()
    counts = _count(links, lengths, prefix_states)
    edge_starts, edge_symbols, targets = _sort_edges(len(states), edges)
    return AutomatonArrays(links, lengths, first_ends, counts, edge_starts, edge_symbols, targets)


# Columns of the tables of states and edges. A state or an edge is one row, because its columns are
# read together: a row is one memory access, four separate arrays would be four.
LENGTH, LINK, FIRST_END, HEAD = 0, 1, 2, 3
OWNER, SYMBOL, TARGET, NEXT = 0, 1, 2, 3


def longest_continuations(arrays: AutomatonArrays) -> Int32[np.ndarray, " states"]:
    """Return the largest number of characters that can follow each state in a document.

    The symbols of the automaton have to be bytes of UTF-8. A character counts at its first byte.
    """
    longest: np.ndarray = _longest(
        arrays.lengths, arrays.edge_starts, arrays.edge_symbols, arrays.edge_targets
    )
    return longest


@njit(inline="always")
@no_type_check
def _slot(edges, table, state, symbol):
    """Return the place of an edge in the hash table, or the free place for it."""
    mask = np.uint64(len(table) - 1)
    key = (np.uint64(state) << np.uint64(32)) | np.uint64(symbol)
    place = ((key * GOLDEN) >> np.uint64(32)) & mask
    while True:
        edge = table[np.int64(place)]
        if edge < 0 or (edges[edge, OWNER] == state and edges[edge, SYMBOL] == symbol):
            return np.int64(place)
        place = (place + np.uint64(1)) & mask


@njit
@no_type_check
def _grown(rows, filled):
    larger = np.empty((2 * len(rows), 4), np.int32)
    larger[:filled] = rows[:filled]
    return larger


@njit
@no_type_check
def _with_room(edges, table, filled):
    """Return edges and hash table with space for one more edge; at most half the table is used."""
    if filled == len(edges):
        edges = _grown(edges, filled)
    if 2 * filled >= len(table):
        table = np.full(2 * len(table), np.int32(-1), np.int32)
        for edge in range(filled):
            table[_slot(edges, table, edges[edge, OWNER], edges[edge, SYMBOL])] = edge
    return edges, table


@njit(inline="always")
@no_type_check
def _put_edge(edges, table, states, edge, owner, symbol, target):
    edges[edge, OWNER], edges[edge, SYMBOL] = owner, symbol
    edges[edge, TARGET], edges[edge, NEXT] = target, states[owner, HEAD]
    states[owner, HEAD] = edge
    table[_slot(edges, table, owner, symbol)] = edge


@njit
@no_type_check
def _extend_all(text, starts):  # noqa: C901 the online step is one: its parts share all arrays
    states = np.empty((1024, 4), np.int32)
    edges = np.empty((1024, 4), np.int32)
    table = np.full(4096, np.int32(-1), np.int32)
    prefix_states = np.empty(len(text), np.int32)
    states[0, LENGTH], states[0, LINK], states[0, FIRST_END], states[0, HEAD] = 0, -1, 0, -1
    made, put = 1, 0
    for sequence in range(len(starts) - 1):
        last = 0
        for position in range(starts[sequence], starts[sequence + 1]):
            symbol = text[position]
            if made + 2 > len(states):
                states = _grown(states, made)
            # 1. Add a state for the prefix that ends here, unless an earlier sequence has it. Add
            # an edge to it from every suffix that this symbol has not followed before.
            source = last
            edge = table[_slot(edges, table, source, symbol)]
            fresh = -1
            if edge < 0:
                fresh = made
                made += 1
                states[fresh, LENGTH] = states[last, LENGTH] + 1
                states[fresh, LINK], states[fresh, HEAD] = 0, -1
                states[fresh, FIRST_END] = position + 1
            while edge < 0 and source >= 0:
                edges, table = _with_room(edges, table, put)
                _put_edge(edges, table, states, put, source, symbol, fresh)
                put += 1
                source = states[source, LINK]
                if source >= 0:
                    edge = table[_slot(edges, table, source, symbol)]
            last = fresh
            if source >= 0:
                # 2. The longest suffix seen before becomes a state of its own (a clone)
                found = edges[edge, TARGET]
                if states[found, LENGTH] != states[source, LENGTH] + 1:
                    clone = made
                    made += 1
                    states[clone, LENGTH] = states[source, LENGTH] + 1
                    states[clone, LINK], states[clone, HEAD] = states[found, LINK], -1
                    states[clone, FIRST_END] = states[found, FIRST_END]
                    copied = states[found, HEAD]
                    while copied >= 0:
                        edges, table = _with_room(edges, table, put)
                        same, target = edges[copied, SYMBOL], edges[copied, TARGET]
                        _put_edge(edges, table, states, put, clone, same, target)
                        put += 1
                        copied = edges[copied, NEXT]
                    while source >= 0:
                        edge = table[_slot(edges, table, source, symbol)]
                        if edges[edge, TARGET] != found:
                            break
                        edges[edge, TARGET] = clone
                        source = states[source, LINK]
                    states[found, LINK] = clone
                    found = clone
                if fresh >= 0:
                    states[fresh, LINK] = found
                else:
                    last = found
            prefix_states[position] = last
    return states[:made], edges[:put], prefix_states


@njit
@no_type_check
def _count(links, lengths, prefix_states):
    counts = np.zeros(len(links), np.int32)
    for state in prefix_states:
        counts[state] += 1
    order = by_length(lengths)
    # longest first: a suffix occurs wherever the longer substring occurs
    for place in range(len(order) - 1, 0, -1):
        state = order[place]
        counts[links[state]] += counts[state]
    return counts


@njit
@no_type_check
def _sort_edges(states, edges):
    """Sort the edges by state and symbol, with two stable counting sorts."""
    largest = 0
    starts = np.zeros(states + 1, np.int64)
    for edge in range(len(edges)):
        largest = max(largest, edges[edge, SYMBOL])
        starts[edges[edge, OWNER] + 1] += 1
    by_symbol = counting_sort(edges[:, SYMBOL], np.arange(len(edges)), largest + 1)
    order = counting_sort(edges[:, OWNER], by_symbol, states)
    symbols = np.empty(len(edges), np.int32)
    targets = np.empty(len(edges), np.int32)
    for place in range(len(order)):
        symbols[place] = edges[order[place], SYMBOL]
        targets[place] = edges[order[place], TARGET]
    return np.cumsum(starts), symbols, targets


@njit
@no_type_check
def _longest(lengths, edge_starts, edge_symbols, edge_targets):
    longest = np.zeros(len(lengths), np.int32)
    order = by_length(lengths)
    # longest first: an edge leads to a state with longer substrings
    for place in range(len(order) - 1, -1, -1):
        state = order[place]
        for edge in range(edge_starts[state], edge_starts[state + 1]):
            weight = 0 if (edge_symbols[edge] & 0xC0) == 0x80 else 1
            longest[state] = max(longest[state], longest[edge_targets[edge]] + weight)
    return longest


@njit
@no_type_check
def step(edge_starts, edge_symbols, edge_targets, state, symbol):
    """Return the state after one more symbol, or NONE (binary search in the edges of the state)."""
    low, high = edge_starts[state], edge_starts[state + 1]
    while low < high:
        middle = (low + high) >> 1
        if edge_symbols[middle] < symbol:
            low = middle + 1
        else:
            high = middle
    if low < edge_starts[state + 1] and edge_symbols[low] == symbol:
        return edge_targets[low]
    return np.int32(-1)
