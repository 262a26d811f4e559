"""Spans in tokens: what may come, where they are, in tokens and in characters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jamba_reader.constraints.token_span_constraint import TokenSpanConstraint
from jamba_reader.tokenization.byte_level_vocabulary import train_vocabulary
from jamba_reader.tokenization.token_bytes import TokenBytes
from spider.errors import ConfigError, DataError

DOCUMENTS = st.lists(st.lists(st.integers(3, 6), max_size=8), min_size=1, max_size=3).filter(
    lambda documents: max(map(len, documents)) >= 3
)


@settings(max_examples=100)
@given(DOCUMENTS, st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_allowed_are_the_tokens_after_which_a_long_enough_span_remains(
    documents: list[list[int]], fewest: int, seed: int
) -> None:
    constraint = TokenSpanConstraint(documents, closing=6, fewest_tokens=fewest)
    random = np.random.default_rng(seed)
    spans = {
        tuple(document[start:end])
        for document in documents
        for start in range(len(document))
        for end in range(start + 1, len(document) + 1)
    }
    state, span = constraint.start(), ()
    while True:
        allowed = constraint.allowed(state)
        assert not allowed.forbids
        assert not allowed.may_end
        long = [other for other in spans if len(other) >= fewest and other[: len(span)] == span]
        expected = {other[len(span)] for other in long if len(other) > len(span)}
        expected |= {6} if len(span) >= fewest else set()
        assert set(allowed.tokens.tolist()) == expected
        assert expected
        token = int(random.choice(sorted(expected)))
        state = constraint.advance(state, token)
        if token == 6 and len(span) >= fewest:
            break
        span = (*span, token)
    (quote,) = constraint.quotes([*span, 6])
    assert quote.closed
    assert tuple(documents[quote.document][quote.first_token : quote.end_token]) == span
    assert constraint.allowed(state).forbids
    assert constraint.allowed(state).may_end


def test_markers_positions_and_text_of_a_real_vocabulary() -> None:
    texts = ["The heron stood, the heron flew.", "An old heron stood there."]
    inner = train_vocabulary(texts * 2, vocabulary_size=275)
    encodings = [inner.encode(text, add_special_tokens=False) for text in texts]
    constraint = TokenSpanConstraint(
        [encoding.ids for encoding in encodings],
        characters=[encoding.offsets for encoding in encodings],
        tokens=TokenBytes(inner),
        opening=1,
        closing=2,
        fewest_tokens=2,
    )
    state = constraint.start()
    assert constraint.allowed(state).forbids
    span = encodings[1].ids[2:6]
    quotes = constraint.quotes([9, 8, 1, *span, 2, 7, 1, *encodings[0].ids[:3]])
    assert [quote.closed for quote in quotes] == [True, False]
    for quote, tokens in zip(quotes, (span, encodings[0].ids[:3]), strict=True):
        assert encodings[quote.document].ids[quote.first_token : quote.end_token] == tokens
        assert texts[quote.document][quote.start : quote.end] == quote.text


def test_a_span_alone_may_end_once_it_is_long_enough() -> None:
    constraint = TokenSpanConstraint([[5, 6, 7]], fewest_tokens=2)
    state = constraint.start()
    assert constraint.allowed(state).tokens.tolist() == [5, 6]
    state = constraint.advance(state, 6)
    assert not constraint.allowed(state).may_end
    state = constraint.advance(state, 7)
    assert constraint.allowed(state).may_end
    assert constraint.allowed(state).tokens.tolist() == []
    (quote,) = constraint.quotes([6, 7])
    assert quote == (0, None, None, "", 1, True, 1, 3)
    with pytest.raises(DataError, match="may not come"):
        constraint.advance(state, 7)


def test_what_cannot_be_quoted_is_said() -> None:
    with pytest.raises(DataError, match="no document has 3 tokens"):
        TokenSpanConstraint([[1, 2]], fewest_tokens=3)
    with pytest.raises(ConfigError, match="at least 1"):
        TokenSpanConstraint([[1]], fewest_tokens=0)
    with pytest.raises(DataError, match="for each token"):
        TokenSpanConstraint([[1, 2]], characters=[[(0, 1)]])
