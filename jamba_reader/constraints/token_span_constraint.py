"""Constrain generated tokens to spans of documents given as token ids.

What is guaranteed: the generated tokens are ``documents[quote.document][first_token : end_token]``.
Only spans that begin and end at the documents' own token borders can be generated, and their text
is the documents' where the tokenizer gives text back unchanged. Where borders must not matter,
:class:`jamba_reader.constraints.text_span_constraint.TextSpanConstraint` reads bytes instead.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Integer

from jamba_reader.constraints.constraint import Allowed, Quote, State
from jamba_reader.constraints.span_automaton import SpanAutomaton
from jamba_reader.constraints.suffix_automaton import NONE, ROOT, longest_continuations
from jamba_reader.tokenization.token_bytes import TokenBytes
from spider.errors import ConfigError, DataError

OUTSIDE = -1


class TokenSpanConstraint:
    """Spans of documents in tokens, alone or within free tokens.

    Without an opening token generation begins inside a span; without a closing token a span lasts
    until the text ends. With both, tokens are free outside. A long enough span ends with the
    next closing token, so a document's own one can only be among its first tokens.

    Args:
        documents: token ids of each.
        characters: of each document, the code points (start, end) of its tokens; None leaves
            positions to tokens.
        tokens: bytes of the vocabulary's tokens, for the quotes' text; None leaves it empty.
        opening: token before a span.
        closing: token after it.
        fewest_tokens: of a span.

    Raises:
        DataError: no document has that many tokens, or the characters are not those of its tokens.
        ConfigError: a number is below 1.
    """

    def __init__(
        self,
        documents: Sequence[Integer[np.ndarray, " _"] | Sequence[int]],
        *,
        characters: Sequence[Sequence[tuple[int, int]]] | None = None,
        tokens: TokenBytes | None = None,
        opening: int | None = None,
        closing: int | None = None,
        fewest_tokens: int = 1,
    ):
        sizes = list(map(len, documents))
        if fewest_tokens < 1:
            raise ConfigError(f"fewest_tokens={fewest_tokens}: expected at least 1")
        if max(sizes, default=0) < fewest_tokens:
            raise DataError(f"no document has {fewest_tokens} tokens: nothing to quote")
        if characters is not None and list(map(len, characters)) != sizes:
            raise DataError("characters: expected one (start, end) for each token of each document")
        self.automaton = SpanAutomaton(documents)
        self._longest = longest_continuations(self.automaton.arrays, utf8=False)
        self._characters = characters
        self._tokens = tokens
        self._opening, self._closing = opening, closing
        self._fewest = fewest_tokens

    def start(self) -> State:
        """Return the state before the first generated token: a node, and the tokens owed."""
        return (ROOT, self._fewest) if self._opening is None else (OUTSIDE, 0)

    def advance(self, state: State, token: int) -> State:
        """Return the state after an allowed token."""
        node, owed = state
        if node == OUTSIDE:
            return (ROOT, self._fewest) if token == self._opening else state
        if token == self._closing and owed == 0:
            return (OUTSIDE, 0)
        following = self.automaton.step(node, token)
        if following == NONE:
            raise DataError(f"token {token} may not come here: it was not allowed")
        return (following, max(owed - 1, 0))

    def allowed(self, state: State) -> Allowed:
        """Return what may come next."""
        node, owed = state
        if node == OUTSIDE:
            return Allowed(np.zeros(0, np.int64), forbids=True, may_end=True)
        tokens = self.automaton.continuations(node)
        if owed > 1:
            # only where the document goes on for as long as the span still has to
            low, high = self.automaton.arrays.edge_starts[node : node + 2]
            tokens = tokens[self._longest[self.automaton.arrays.edge_targets[low:high]] >= owed - 1]
        if self._closing is None:
            return Allowed(tokens, forbids=False, may_end=owed == 0)
        if owed == 0:
            tokens = np.append(tokens[tokens != self._closing], np.int32(self._closing))
        return Allowed(tokens, forbids=False, may_end=False)

    def quotes(self, tokens: Sequence[int]) -> list[Quote]:
        """Return the spans within generated tokens."""
        found: list[Quote] = []
        state, span = self.start(), list[int]()
        for token in tokens:
            before, state = state, self.advance(state, token)
            if before[0] != OUTSIDE and state[0] == OUTSIDE:
                found += self._quote(span, closed=True)
                span = []
            elif before[0] != OUTSIDE:
                span.append(token)
        return found + self._quote(span, closed=self._closing is None and state[1] == 0)

    def _quote(self, span: Sequence[int], *, closed: bool) -> list[Quote]:
        if not span:
            return []
        node = self.automaton.walk(span)
        place = self.automaton.first(node, len(span))
        start = end = None
        if self._characters is not None:
            of_tokens = self._characters[place.document]
            start, end = of_tokens[place.start][0], of_tokens[place.end - 1][1]
        text = b"" if self._tokens is None else self._tokens.join(span)
        return [
            Quote(
                place.document,
                start,
                end,
                text.decode("utf-8", "replace"),
                self.automaton.count(node),
                closed,
                place.start,
                place.end,
            )
        ]
