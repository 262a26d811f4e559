"""A constraint that lets generated text quote documents exactly, with any tokens.

The automaton reads the bytes of the documents' texts, and tokens are read byte by byte. So a span
may begin and end within a token of the document, and any tokens that spell it are allowed. The
bytes of a quote are always those of ``documents[quote.document][quote.start : quote.end]``, in
whole characters.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int16, Int64, UInt8

from jamba_reader.constraints.contract import Allowed, Quote, State
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
from jamba_reader.constraints.suffix_automaton import NONE, longest_continuations
from jamba_reader.tokenization.token_bytes import TokenBytes
from spider.errors import ConfigError, DataError

REMEMBERED_STATES = 4096


class TextSpanConstraint:
    """Allows quotes of documents, alone or within free text.

    Without an opening marker the text begins inside a quote. Without a closing marker a quote lasts
    until the text ends. With both, the text outside of quotes is free, every opening marker begins
    a quote, and every closing marker ends one: a quote that is long enough never contains the
    closing marker. Special tokens have no text, so they are allowed only outside of quotes.

    Args:
        documents: texts of the documents.
        tokens: the bytes of the vocabulary's tokens.
        opening: marker before a quote.
        closing: marker after a quote.
        fewest_characters: least number of characters of a quote.
        fewest_quotes: least number of quotes before the text may end.

    Raises:
        DataError: no document has that many characters.
        ConfigError: ``fewest_characters`` is below 1, or ``fewest_quotes`` is given without both
            markers.
    """

    def __init__(
        self,
        documents: Sequence[str],
        tokens: TokenBytes,
        *,
        opening: str = "",
        closing: str = "",
        fewest_characters: int = 1,
        fewest_quotes: int = 0,
    ):
        if fewest_characters < 1:
            raise ConfigError(f"fewest_characters={fewest_characters}: expected at least 1")
        if max(map(len, documents), default=0) < fewest_characters:
            raise DataError(f"no document has {fewest_characters} characters: nothing to quote")
        if fewest_quotes > 0 and not (opening and closing):
            raise ConfigError("fewest_quotes needs an opening and a closing marker")
        self.documents = tuple(documents)
        self._tokens = tokens
        self._encoded = [
            np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8) for text in documents
        ]
        self.automaton = SpanAutomaton(self._encoded)
        arrays = self.automaton.arrays
        longest = longest_continuations(arrays)
        self._graph = (arrays.edge_starts, arrays.edge_symbols, arrays.edge_targets, longest)
        self._opening, self._closing = opening.encode(), closing.encode()
        self._markers = (
            matching_table(self._opening),
            matching_table(self._closing),
            np.frombuffer(self._closing, np.uint8),
            fewest_characters,
        )
        self._fewest_characters = fewest_characters
        self._fewest_quotes = fewest_quotes
        self._vocabulary = _SortedTokens(tokens.table)
        self._known: dict[State, Allowed] = {}

    def start(self) -> State:
        """Return the state before the first token; its last number counts the missing quotes."""
        return (*self._start().tolist(), self._fewest_quotes)

    def advance(self, state: State, token: int) -> State:
        """Return the state after an allowed token."""
        text = np.frombuffer(self._tokens.of(token), np.uint8)
        states = self._read(np.array(state[:-1], np.int32), text)
        if len(states) <= len(text):
            raise DataError(f"token {token} is not allowed here")
        return (*states[-1].tolist(), max(state[-1] - len(_closings(states)), 0))

    def allowed(self, state: State) -> Allowed:
        """Return what is allowed next."""
        if state not in self._known:
            if len(self._known) >= REMEMBERED_STATES:
                self._known.clear()
            self._known[state] = self._allowed(state)
        return self._known[state]

    def quotes(self, tokens: Sequence[int]) -> list[Quote]:
        """Return the spans within generated tokens."""
        text = b"".join(map(self._tokens.of, tokens))
        symbols = np.frombuffer(text, np.uint8)
        states = self._read(self._start(), symbols)
        inside = states[:, PHASE] == INSIDE
        found = []
        begins = np.flatnonzero(inside & ~np.concatenate([[False], inside[:-1]])).tolist()
        ends = _closings(states)
        for number, begin in enumerate(begins):
            if number < len(ends):
                found.append(self._quote(text[begin : ends[number] - len(self._closing)], True))
            else:
                last = states[-1].tolist()
                quoted = text[begin : len(states) - 1 - (last[MARKER] if last[NODE] == DEAD else 0)]
                whole = not self._closing and last[OWED] == 0 and last[PENDING] == 0
                # an incomplete last character is dropped
                characters = quoted.decode("utf-8", "ignore").encode()
                found.append(self._quote(characters, whole))
        return [quote for quote in found if quote.text]

    def _start(self) -> np.ndarray:
        if self._opening:
            return np.array([OUTSIDE, 0, 0, 0, 0], np.int32)
        return np.array([INSIDE, 0, 0, self._fewest_characters, 0], np.int32)

    def _read(self, state: np.ndarray, text: UInt8[np.ndarray, " bytes"]) -> np.ndarray:
        states: np.ndarray = read_bytes(state, text, self._graph, self._markers)
        return states

    def _allowed(self, state: State) -> Allowed:
        vocabulary = self._vocabulary
        fits: Bool[np.ndarray, " tokens"] = fitting_tokens(
            np.array(state[:-1], np.int32), *vocabulary.arrays, self._graph, self._markers
        )
        outside = state[PHASE] == OUTSIDE
        complete = not self._closing and state[OWED] == 0 and state[PENDING] == 0
        return Allowed(
            vocabulary.ids[~fits if outside else fits],
            forbids=outside,
            may_end=state[-1] == 0 and (outside or complete),
        )

    def _quote(self, quoted: bytes, closed: bool) -> Quote:
        state = self.automaton.walk(list(quoted))
        if state == NONE or not quoted:
            return Quote(0, 0, 0, "", 0, closed)
        place = self.automaton.first(state, len(quoted))
        start, end = self._code_points(*place)
        return Quote(
            place.document,
            start,
            end,
            self.documents[place.document][start:end],
            self.automaton.count(state),
            closed,
        )

    def _code_points(self, document: int, start: int, end: int) -> tuple[int, int]:
        encoded = self._encoded[document]
        before = int(np.count_nonzero((encoded[:start] & 0xC0) != 0x80))
        return before, before + int(np.count_nonzero((encoded[start:end] & 0xC0) != 0x80))


class _SortedTokens:
    """The tokens that have text, sorted by their bytes.

    Attributes:
        ids: ids of the tokens in this order.
        arrays: concatenated bytes of the tokens, start of each, and the number of leading bytes
            that each shares with the previous one.
    """

    def __init__(self, table: Sequence[bytes]):
        order = sorted((id_ for id_, text in enumerate(table) if text), key=table.__getitem__)
        texts = [table[id_] for id_ in order]
        self.ids: Int64[np.ndarray, " tokens"] = np.array(order, dtype=np.int64)
        starts = np.cumsum([0, *map(len, texts)]).astype(np.int64)
        shared = [0] * min(len(texts), 1) + [_shared(*pair) for pair in pairwise(texts)]
        self.arrays = (
            np.frombuffer(b"".join(texts), np.uint8),
            starts,
            np.array(shared, dtype=np.int64),
        )


def _shared(one: bytes, two: bytes) -> int:
    size = min(len(one), len(two))
    return next((place for place in range(size) if one[place] != two[place]), size)


def _closings(states: np.ndarray) -> list[int]:
    """Return the positions after which a quote is closed."""
    phases = states[:, PHASE]
    places: list[int] = (
        np.flatnonzero((phases[:-1] == INSIDE) & (phases[1:] == OUTSIDE)) + 1
    ).tolist()
    return places


def matching_table(marker: bytes) -> Int16[np.ndarray, "progress 256"]:
    """Return the matched length of a marker after one more byte (Knuth, Morris, Pratt 1977)."""
    table = np.zeros((len(marker) + 1, 256), np.int16)
    for read in range(len(marker) + 1):
        for byte in set(marker):
            text = marker[:read] + bytes([byte])
            table[read, byte] = max(
                size for size in range(len(marker) + 1) if size == 0 or text.endswith(marker[:size])
            )
    return table
