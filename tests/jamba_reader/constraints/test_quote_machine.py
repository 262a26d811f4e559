"""The machine's transitions by hand, and its shared reading of tokens against one by one."""

from itertools import pairwise, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jamba_reader.constraints.quote_machine import (
    DEAD,
    INSIDE,
    MARKER,
    NODE,
    OUTSIDE,
    OWED,
    PENDING,
    PHASE,
    fitting_tokens,
    read_bytes,
)
from jamba_reader.constraints.span_automaton import SpanAutomaton
from jamba_reader.constraints.suffix_automaton import longest_continuations
from jamba_reader.constraints.text_spans import matching_table

FREE = np.array([OUTSIDE, 0, 0, 0, 0], np.int32)


def machine(text: str, *, opening: bytes, closing: bytes, fewest: int) -> tuple[tuple, tuple]:
    """Return the graph of one document, and the markers."""
    arrays = SpanAutomaton([np.frombuffer(text.encode(), np.uint8)]).arrays
    graph = (
        arrays.edge_starts, arrays.edge_symbols, arrays.edge_targets,
        longest_continuations(arrays),
    )  # fmt: skip
    markers = (
        matching_table(opening), matching_table(closing), np.frombuffer(closing, np.uint8), fewest,
    )  # fmt: skip
    return graph, markers


def test_transitions_by_hand() -> None:
    parts = machine("aé!", opening=b"<<", closing=b">", fewest=2)
    states = read_bytes(FREE, np.frombuffer("x<<aé>y".encode(), np.uint8), *parts)
    # x < < a and the two bytes of é, then > and y
    assert states[:, PHASE].tolist() == [0, 0, 0, INSIDE, INSIDE, INSIDE, INSIDE, OUTSIDE, OUTSIDE]
    assert states[:3, MARKER].tolist() == [0, 0, 1]
    assert states[3:7, OWED].tolist() == [2, 1, 0, 0]
    assert states[3:7, PENDING].tolist() == [0, 0, 1, 0]


def test_bytes_that_are_not_allowed_end_the_reading() -> None:
    parts = machine("aé!", opening=b"<<", closing=b">", fewest=2)

    def read(text: str | bytes) -> int:
        encoded = text.encode() if isinstance(text, str) else text
        return len(read_bytes(FREE, np.frombuffer(encoded, np.uint8), *parts)) - 1

    assert read("<<a>") == 3  # one character is too few
    assert read("<<é!") == 5
    assert read("<<!") == 2  # two characters no longer fit
    assert read(b"<<\xa9") == 2  # a quote begins with a whole character
    assert read("<<aé!a") == 6
    assert read("anything < goes") == 15


def test_a_marker_that_the_document_holds_closes_the_quote() -> None:
    parts = machine("a>>b", opening=b"<", closing=b">>", fewest=1)
    states = read_bytes(FREE, np.frombuffer(b"<a>", np.uint8), *parts)
    assert states[-1, NODE] != DEAD
    assert states[-1, MARKER] == 1
    assert len(read_bytes(FREE, np.frombuffer(b"<a>b", np.uint8), *parts)) == 4
    states = read_bytes(FREE, np.frombuffer(b"<a>>b", np.uint8), *parts)
    assert states[:, PHASE].tolist() == [0, 1, 1, 1, 0, 0]
    # after a span that does not continue with the marker, only the marker is possible
    parts = machine("ab", opening=b"<", closing=b">>", fewest=1)
    states = read_bytes(FREE, np.frombuffer(b"<a>", np.uint8), *parts)
    assert states[-1, NODE] == DEAD
    assert len(read_bytes(FREE, np.frombuffer(b"<a>b", np.uint8), *parts)) == 4


TOKENS = sorted(bytes(word) for size in (1, 2, 3) for word in product(b"ab<>", repeat=size))


@settings(max_examples=40)
@given(
    st.text(alphabet="ab>", min_size=2, max_size=8),
    st.binary(max_size=5).map(lambda raw: bytes(b"ab<>"[byte % 4] for byte in raw)),
    st.integers(1, 2),
)
def test_shared_prefixes_change_no_result(document: str, prefix: bytes, fewest: int) -> None:
    parts = machine(document, opening=b"<", closing=b">>", fewest=fewest)
    state = read_bytes(FREE, np.frombuffer(prefix, np.uint8), *parts)[-1]
    starts = np.cumsum([0, *map(len, TOKENS)]).astype(np.int64)
    shared = [0]
    for one, two in pairwise(TOKENS):
        same = [a == b for a, b in zip(one, two, strict=False)]
        shared.append(same.index(False) if False in same else len(same))
    joined = np.frombuffer(b"".join(TOKENS), np.uint8)
    fits = fitting_tokens(state, joined, starts, np.array(shared, np.int64), *parts)
    for token, fit in zip(TOKENS, fits.tolist(), strict=True):
        alone = read_bytes(state, np.frombuffer(token, np.uint8), *parts)
        assert fit is (len(alone) == len(token) + 1)
