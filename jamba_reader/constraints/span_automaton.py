"""An automaton that recognises every span of several documents.

The words that it accepts are exactly the spans of the documents; no span crosses from one document
into the next. The first place of a span and its number of occurrences are one number for each
state.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Integer

from jamba_reader.constraints.suffix_automaton import NONE, ROOT, build_arrays, step
from spider.errors import DataError

#: states are int32, and there can be twice as many states as symbols
MOST_SYMBOLS = (1 << 30) - 1


class Occurrence(NamedTuple):
    """The place of a span.

    Attributes:
        document: index of the document.
        start: index of the span's first symbol in the document.
        end: index after its last symbol.
    """

    document: int
    start: int
    end: int


class SpanAutomaton:
    """The suffix automaton of several documents (Blumer et al. 1987), built in one pass.

    Args:
        documents: the symbols of each document, for instance its bytes; may be empty.

    Raises:
        DataError: a symbol is negative or too large, or there are more than a billion symbols.
    """

    def __init__(self, documents: Sequence[Integer[np.ndarray, " _"] | Sequence[int]]):
        parts = [np.asarray(document, dtype=np.int64) for document in documents]
        sizes = np.array([0, *map(len, parts)], dtype=np.int64)
        self.starts = np.cumsum(sizes)
        if self.starts[-1] > MOST_SYMBOLS:
            raise DataError(
                f"{self.starts[-1]:,} symbols: expected at most {MOST_SYMBOLS:,}; constrain to "
                "fewer documents"
            )
        symbols = np.concatenate([np.zeros(0, np.int64), *parts])
        if len(symbols) and not 0 <= symbols.min() <= symbols.max() < 1 << 31:
            raise DataError("a document holds a symbol below 0 or above 2^31 - 1")
        self.arrays = build_arrays(symbols.astype(np.int32), self.starts)

    def __len__(self) -> int:
        """Return the number of states."""
        return len(self.arrays.links)

    def step(self, state: int, symbol: int) -> int:
        """Return the state after one more symbol; NONE if no document continues with it."""
        arrays = self.arrays
        return int(
            step(arrays.edge_starts, arrays.edge_symbols, arrays.edge_targets, state, symbol)
        )

    def walk(self, symbols: Sequence[int], state: int = ROOT) -> int:
        """Return the state after several symbols; NONE if they are not a span."""
        for symbol in symbols:
            if state == NONE:
                break
            state = self.step(state, symbol)
        return state

    def count(self, state: int) -> int:
        """Return how often a state's spans occur in all documents."""
        return int(self.arrays.counts[state])

    def first(self, state: int, length: int) -> Occurrence:
        """Return the first place of the span of ``length`` symbols that led to ``state``."""
        end = int(self.arrays.first_ends[state])
        # a span has at least one symbol, and its last symbol decides the document
        document = int(np.searchsorted(self.starts, max(end - 1, 0), side="right")) - 1
        base = int(self.starts[document])
        return Occurrence(document, end - length - base, end - base)
