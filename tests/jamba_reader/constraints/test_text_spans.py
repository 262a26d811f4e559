"""Constrained text: always a quote, any spelling of one, and exactly where it is."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jamba_reader.constraints.contract import Allowed, forbidden
from jamba_reader.constraints.text_spans import TextSpanConstraint, matching_table
from jamba_reader.tokenization.token_bytes import TokenBytes
from spider.errors import ConfigError, DataError

WORDS = ["a", "b", "é", "東", " ", '"', "ab", "ba", "aé", 'a"', '"b', '""', "é a", " b ab", 'x"a"x']


class Table(TokenBytes):
    """A vocabulary of given pieces: number 0 ends the text, then every byte, then words."""

    def __init__(self, words: list[str]):
        self.table = [b"", *(bytes([byte]) for byte in range(256)), *map(str.encode, words)]
        self.special_ids = {"<end>": 0}


TABLE = Table(WORDS)
DOCUMENTS = st.lists(st.text(alphabet='abé東 "', max_size=10), min_size=1, max_size=3).filter(
    lambda texts: max(map(len, texts)) >= 2
)


def allowed_tokens(allowed: Allowed) -> set[int]:
    mask = forbidden([allowed], len(TABLE.table), [0], torch.device("cpu"))
    return set(torch.nonzero(~mask[0])[:, 0].tolist())


def is_span(text: bytes, documents: list[str], *, whole: bool) -> bool:
    """Return whether bytes are a span of a document: of whole characters, or cut in the last."""
    for document in documents:
        for start in range(len(document)):
            rest = document[start:].encode()
            if rest.startswith(text):
                try:
                    text.decode()
                except UnicodeDecodeError:
                    return not whole
                return True
    return False


@settings(max_examples=30)
@given(DOCUMENTS, st.integers(0, 2**32 - 1))
def test_allowed_tokens_are_those_that_keep_it_a_span(documents: list[str], seed: int) -> None:
    constraint = TextSpanConstraint(documents, TABLE)
    random = np.random.default_rng(seed)
    state, text, tokens = constraint.start(), b"", []
    for _ in range(6):
        may = allowed_tokens(constraint.allowed(state))
        expected = {
            token
            for token in range(1, len(TABLE.table))
            if is_span(text + TABLE.of(token), documents, whole=False)
        }
        ends = bool(text) and is_span(text, documents, whole=True)
        assert may == expected | ({0} if ends else set())
        if not expected:
            break
        tokens.append(int(random.choice(sorted(expected))))
        text += TABLE.of(tokens[-1])
        state = constraint.advance(state, tokens[-1])
    quotes = constraint.quotes(tokens)
    whole = text.decode(errors="ignore")
    assert [quote.text for quote in quotes] == ([whole] if whole else [])
    for quote in quotes:
        assert documents[quote.document][quote.start : quote.end] == quote.text
        assert not any(quote.text in document for document in documents[: quote.document])
        assert documents[quote.document].find(quote.text) == quote.start
        places = sum(
            document.startswith(quote.text, start)
            for document in documents
            for start in range(len(document))
        )
        assert quote.occurrences == places


@pytest.mark.parametrize(
    ("opening", "closing"), [('"', '"'), ("<q>", "</q>"), ("ab", "ba"), ("", '"'), ("aab", "aa")]
)
@settings(max_examples=25)
@given(documents=DOCUMENTS, fewest=st.integers(1, 2), seed=st.integers(0, 2**32 - 1))
def test_free_text_with_quotes(
    opening: str, closing: str, documents: list[str], fewest: int, seed: int
) -> None:
    longest = max((piece for document in documents for piece in document.split(closing)), key=len)
    if len(longest) < fewest:
        return
    constraint = TextSpanConstraint(
        documents, TABLE, opening=opening, closing=closing, fewest_characters=fewest
    )
    random = np.random.default_rng(seed)
    state, tokens = constraint.start(), []
    # markers and documents often enough that quotes open and close
    near = {
        token for token in range(1, len(TABLE.table)) if TABLE.of(token).decode(errors="ignore")
    }
    near &= {t for t in near if set(TABLE.of(t).decode()) <= set('abé東 "x<q>/')}
    for _ in range(30):
        may = allowed_tokens(constraint.allowed(state)) - {0}
        if not may:
            break
        tokens.append(int(random.choice(sorted(may & near or may))))
        state = constraint.advance(state, tokens[-1])
    text = b"".join(map(TABLE.of, tokens)).decode(errors="ignore")
    quotes = constraint.quotes(tokens)
    place = 0
    for quote in quotes:
        assert documents[quote.document][quote.start : quote.end] == quote.text
        place = text.index(opening, place) + len(opening)
        assert text.startswith(quote.text, place)
        place += len(quote.text)
        if quote.closed:
            assert len(quote.text) >= fewest
            assert text.startswith(closing, place)
            place += len(closing)
    assert all(quote.closed for quote in quotes[:-1])


def test_an_answer_and_then_a_quote() -> None:
    documents = ["The heron stood still.", "An old heron flew."]
    table = Table(["It flew", ": <q>", "old heron", " flew", "</q>", " stood", ".</q> So", " sank"])
    number = {text: place for place, text in enumerate(table.table)}
    constraint = TextSpanConstraint(
        documents, table, opening="<q>", closing="</q>", fewest_characters=4, fewest_quotes=1
    )
    state = constraint.start()
    assert not constraint.allowed(state).may_end
    tokens = [number[text] for text in (b"It flew", b": <q>", b"old heron", b" flew")]
    for token in tokens:
        state = constraint.advance(state, token)
    may = {table.table[t] for t in constraint.allowed(state).tokens.tolist()}
    assert may == {b".", b"<", b"</q>", b".</q> So"}
    tokens.append(number[b".</q> So"])
    state = constraint.advance(state, tokens[-1])
    assert constraint.allowed(state).may_end
    (quote,) = constraint.quotes(tokens)
    assert quote == (1, 3, 18, "old heron flew.", 1, True)
    with pytest.raises(DataError, match="is not allowed here"):
        constraint.advance(constraint.advance(state, number[b": <q>"]), number[b"</q>"])


def test_a_quote_never_begins_where_it_could_not_be_long_enough() -> None:
    constraint = TextSpanConstraint(["abcdé"], TABLE, fewest_characters=3)
    first = constraint.allowed(constraint.start()).tokens.tolist()
    assert {TABLE.of(token) for token in first} == {b"a", b"b", b"c", b"ab"}


def test_a_token_that_opens_a_quote_has_to_fit() -> None:
    table = Table(['say "a', 'say "b', '"'])
    constraint = TextSpanConstraint(["xa"], table, opening='"', closing='"')
    allowed = constraint.allowed(constraint.start())
    assert allowed.forbids
    assert [table.of(token) for token in allowed.tokens.tolist()] == [b'say "b']


@pytest.mark.parametrize("marker", [b"a", b"aab", b"abab", b"</q>", "東".encode()])
def test_matching_table(marker: bytes) -> None:
    random = np.random.default_rng(0)
    text = bytes(random.choice(list(marker), 60).tolist())
    table, read = matching_table(marker), 0
    for place in range(len(text)):
        read = table[min(read, len(marker)), text[place]]
        sizes = [s for s in range(1, len(marker) + 1) if text[: place + 1].endswith(marker[:s])]
        assert read == max(sizes, default=0)


def test_masks_of_several_rows() -> None:
    none = np.zeros(0, np.int64)
    rows = [
        Allowed(np.array([1, 4, 99]), forbids=False, may_end=True),
        Allowed(np.array([2]), forbids=True, may_end=False),
        Allowed(none, forbids=False, may_end=False),
        Allowed(none, forbids=True, may_end=True),
    ]
    mask = forbidden(rows, 5, [0], torch.device("cpu"))
    kept = [torch.nonzero(~row)[:, 0].tolist() for row in mask]
    assert kept == [[0, 1, 4], [1, 3, 4], [], [0, 1, 2, 3, 4]]


def test_what_cannot_be_quoted_is_said() -> None:
    with pytest.raises(DataError, match="no document has 5 characters"):
        TextSpanConstraint(["abcd", ""], TABLE, fewest_characters=5)
    with pytest.raises(DataError, match="nothing to quote"):
        TextSpanConstraint([], TABLE)
    with pytest.raises(ConfigError, match="at least 1"):
        TextSpanConstraint(["abc"], TABLE, fewest_characters=0)
    with pytest.raises(ConfigError, match="marker"):
        TextSpanConstraint(["abc"], TABLE, fewest_quotes=1)


def test_a_quote_closes_after_whole_characters_only() -> None:
    constraint = TextSpanConstraint(["é東"], TABLE, opening="<", closing=">")
    state = constraint.start()
    for byte in b"<\xc3":
        state = constraint.advance(state, 1 + byte)
    assert [TABLE.of(token) for token in constraint.allowed(state).tokens.tolist()] == [b"\xa9"]
    state = constraint.advance(state, 1 + 0xA9)
    may = {TABLE.of(token) for token in constraint.allowed(state).tokens.tolist()}
    assert may == {b">", b"\xe6", "東".encode()}
