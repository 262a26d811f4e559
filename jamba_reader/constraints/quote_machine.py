"""A state machine over the bytes of free text with quoted spans, and its mask of tokens (numba).

A state is five numbers. Outside a quote, MARKER counts the bytes of the opening marker that were
read. Inside a quote, NODE is the automaton's state after the quoted bytes, and MARKER counts the
bytes that may begin the closing marker. OWED counts the characters that the quote still lacks, and
PENDING the bytes that its last character still lacks.

Bytes that may belong to the closing marker may also belong to the document. Both readings are
followed until NODE is DEAD, which leaves only the marker, or until the marker is complete, which
always closes the quote.
"""

from typing import no_type_check

import numpy as np

from jamba_reader.constraints.suffix_automaton import step
from spider.compilation import njit

PHASE, MARKER, NODE, OWED, PENDING = range(5)
OUTSIDE, INSIDE = 0, 1
DEAD = -1


@njit(inline="always")
@no_type_check
def _bytes_to_come(byte):
    """Return how many bytes follow the first byte of a UTF-8 character."""
    if byte < 0xC0:
        return 0
    if byte < 0xE0:
        return 1
    return 2 if byte < 0xF0 else 3


@njit
@no_type_check
def read_byte(state, byte, following, graph, markers):  # noqa: C901 one transition table
    """Write the state after ``byte`` to ``following``; return whether the byte is allowed.

    ``graph`` consists of the automaton's edges and the number of characters that can follow each
    state; ``markers`` of the matching tables of both markers, the closing marker, and the least
    number of characters of a quote.
    """
    edge_starts, edge_symbols, edge_targets, longest = graph
    opening, closing, closing_bytes, fewest = markers
    following[:] = state
    if state[PHASE] == OUTSIDE:
        if len(opening) == 1:
            return True
        following[MARKER] = opening[state[MARKER], byte]
        if following[MARKER] == len(opening) - 1:
            following[PHASE], following[MARKER], following[NODE] = INSIDE, 0, 0
            following[OWED], following[PENDING] = fewest, 0
        return True
    first = (byte & 0xC0) != 0x80
    if state[NODE] == DEAD:
        # only the closing marker is possible
        if byte != closing_bytes[state[MARKER]]:
            return False
        following[MARKER] = state[MARKER] + 1
    else:
        # the first byte of a quote begins a character
        node = DEAD
        if first or state[NODE] != 0:
            node = step(edge_starts, edge_symbols, edge_targets, state[NODE], byte)
        owed = max(state[OWED] - 1, 0) if first else state[OWED]
        if node != DEAD and longest[node] < owed:
            node = DEAD
        complete = state[OWED] == 0 and state[PENDING] == 0
        may_close = len(closing) > 1 and (state[MARKER] > 0 or complete)
        following[MARKER] = closing[state[MARKER], byte] if may_close else 0
        if node == DEAD and following[MARKER] == 0:
            return False
        following[NODE], following[OWED] = node, owed
        following[PENDING] = _bytes_to_come(byte) if first else state[PENDING] - 1
    if len(closing) > 1 and following[MARKER] == len(closing) - 1:
        following[PHASE], following[MARKER], following[NODE] = OUTSIDE, 0, 0
        following[OWED], following[PENDING] = 0, 0
    elif following[NODE] == DEAD:
        following[OWED], following[PENDING] = 0, 0
    return True


@njit
@no_type_check
def fitting_tokens(state, tokens, starts, shared, graph, markers):
    """Return which tokens are allowed next.

    The tokens are sorted by their bytes, so that the prefix that two neighbours share is read once:
    the first ``shared`` bytes of a token are those of the previous token. If the previous token
    failed within them, so does this one.
    """
    longest_token = 0
    for token in range(len(starts) - 1):
        longest_token = max(longest_token, starts[token + 1] - starts[token])
    stack = np.zeros((longest_token + 1, 5), np.int32)
    stack[0] = state
    fits = np.zeros(len(starts) - 1, np.bool_)
    depth = 0
    for token in range(len(starts) - 1):
        if shared[token] > depth:
            continue
        depth = shared[token]
        size = starts[token + 1] - starts[token]
        while depth < size:
            byte = tokens[starts[token] + depth]
            if not read_byte(stack[depth], byte, stack[depth + 1], graph, markers):
                break
            depth += 1
        fits[token] = depth == size
    return fits


@njit
@no_type_check
def read_bytes(state, text, graph, markers):
    """Return the state after each byte, up to the first byte that is not allowed."""
    states = np.zeros((len(text) + 1, 5), np.int32)
    states[0] = state
    for place in range(len(text)):
        if not read_byte(states[place], text[place], states[place + 1], graph, markers):
            return states[: place + 1]
    return states
