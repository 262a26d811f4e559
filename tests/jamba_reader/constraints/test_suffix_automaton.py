"""The automaton's arrays by hand, and against brute force over every substring."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jamba_reader.constraints.suffix_automaton import (
    NONE,
    ROOT,
    AutomatonArrays,
    build_arrays,
    longest_continuations,
    step,
)


def automaton(*texts: bytes) -> AutomatonArrays:
    starts = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    return build_arrays(np.frombuffer(b"".join(texts), np.uint8).astype(np.int32), starts)


def walk(arrays: AutomatonArrays, text: bytes) -> int:
    state = ROOT
    for byte in text:
        if state == NONE:
            break
        edges = (arrays.edge_starts, arrays.edge_symbols, arrays.edge_targets)
        state = int(step(*edges, state, byte))
    return state


def test_abb_by_hand() -> None:
    """States are {ab}, {abb, bb}, {b} and {a}; b ends at two places, so it is apart from ab."""
    arrays = automaton(b"abb")
    a, ab, abb, b = (walk(arrays, text) for text in (b"a", b"ab", b"abb", b"b"))
    assert len({ROOT, a, ab, abb, b}) == len(arrays.links) == 5
    assert walk(arrays, b"bb") == abb
    assert walk(arrays, b"ba") == NONE
    assert arrays.lengths[[ROOT, a, ab, abb, b]].tolist() == [0, 1, 2, 3, 1]
    assert arrays.links[[ROOT, a, ab, abb, b]].tolist() == [NONE, ROOT, b, b, ROOT]
    assert arrays.counts[[a, ab, abb, b]].tolist() == [1, 1, 1, 2]
    assert arrays.first_ends[[a, ab, abb, b]].tolist() == [1, 2, 3, 2]
    assert longest_continuations(arrays)[[ROOT, a, ab, abb, b]].tolist() == [3, 2, 1, 0, 1]


@settings(max_examples=100)
@given(st.lists(st.text(alphabet="abé東", max_size=7), min_size=1, max_size=3))
def test_counts_places_and_continuations_of_every_substring(texts: list[str]) -> None:
    encoded = [text.encode() for text in texts]
    arrays = automaton(*encoded)
    longest = longest_continuations(arrays)
    before = np.cumsum([0, *map(len, encoded)])
    found: dict[bytes, list[tuple[int, int]]] = {}
    for number, text in enumerate(encoded):
        for start in range(len(text)):
            for end in range(start + 1, len(text) + 1):
                # characters that begin after the substring
                rest = sum(byte & 0xC0 != 0x80 for byte in text[end:])
                found.setdefault(text[start:end], []).append((int(before[number]) + end, rest))
    for text, places in found.items():
        state = walk(arrays, text)
        assert arrays.counts[state] == len(places)
        assert arrays.first_ends[state] == min(end for end, _ in places)
        assert longest[state] == max(rest for _, rest in places)
