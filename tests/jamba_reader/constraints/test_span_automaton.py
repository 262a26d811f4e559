"""The automaton of all spans against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jamba_reader.constraints.span_automaton import Occurrence, SpanAutomaton
from jamba_reader.constraints.suffix_automaton import NONE, ROOT
from spider.errors import DataError

DOCUMENTS = st.lists(st.lists(st.integers(0, 3), max_size=12), min_size=1, max_size=4)


def spans(documents: list[list[int]]) -> dict[tuple[int, ...], list[Occurrence]]:
    """Return every span with its places, in document order."""
    found: dict[tuple[int, ...], list[Occurrence]] = {}
    for number, document in enumerate(documents):
        for start in range(len(document)):
            for end in range(start + 1, len(document) + 1):
                place = Occurrence(number, start, end)
                found.setdefault(tuple(document[start:end]), []).append(place)
    return found


def following(automaton: SpanAutomaton, state: int) -> set[int]:
    return {symbol for symbol in range(5) if automaton.step(state, symbol) != NONE}


@settings(max_examples=150)
@given(DOCUMENTS)
def test_every_span_its_places_and_what_follows(documents: list[list[int]]) -> None:
    automaton = SpanAutomaton(documents)
    expected = spans(documents)
    assert following(automaton, ROOT) == {span[0] for span in expected}
    for span, places in expected.items():
        state = automaton.walk(span)
        assert state != NONE
        assert automaton.count(state) == len(places)
        assert automaton.first(state, len(span)) == min(places)
        assert following(automaton, state) == {s for s in range(5) if (*span, s) in expected}
        assert automaton.arrays.lengths[automaton.arrays.links[state]] < len(span)


@settings(max_examples=150)
@given(DOCUMENTS, st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_a_walk_ends_where_no_document_goes_on(documents: list[list[int]], word: list[int]) -> None:
    found = SpanAutomaton(documents).walk(word) != NONE
    assert found == (tuple(word) in spans(documents))


@settings(max_examples=100)
@given(DOCUMENTS)
def test_sizes_keep_their_bounds(documents: list[list[int]]) -> None:
    automaton = SpanAutomaton(documents)
    total = sum(map(len, documents))
    assert len(automaton) <= max(2 * total, 1)
    assert len(automaton.arrays.edge_symbols) <= 3 * total
    # no two states alike: each holds spans that no other holds
    steps = np.diff(automaton.arrays.edge_starts)
    assert steps.sum() == len(automaton.arrays.edge_symbols)
    lengths, links = automaton.arrays.lengths, automaton.arrays.links
    assert sum(lengths[s] - lengths[links[s]] for s in range(1, len(automaton))) == len(
        spans(documents)
    )


def test_long_random_documents_grow_every_array() -> None:
    random = np.random.default_rng(0)
    documents = [random.integers(0, 50, size) for size in (3000, 0, 5000, 1)]
    automaton = SpanAutomaton(documents)
    for _ in range(50):
        document = int(random.choice([0, 2]))
        start = int(random.integers(0, len(documents[document]) - 20))
        span = documents[document][start : start + 8].tolist()
        state = automaton.walk(span)
        place = automaton.first(state, 8)
        assert place <= Occurrence(document, start, start + 8)
        assert documents[place.document][place.start : place.end].tolist() == span
    assert len(automaton) > 8000


def test_no_document_and_none_with_text() -> None:
    for documents in ([], [[]], [[], []]):
        automaton = SpanAutomaton(documents)
        assert len(automaton) == 1
        assert following(automaton, ROOT) == set()
        assert automaton.walk([1]) == NONE


def test_what_is_no_symbol_is_refused() -> None:
    with pytest.raises(DataError, match="below 0"):
        SpanAutomaton([[1, -1]])
