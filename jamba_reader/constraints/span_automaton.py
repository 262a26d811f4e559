"""Every span of several documents, as an automaton over their token ids or their bytes.

A walk from the root spells a span of some document, and nothing else does: what may come next is
one slice of an array, where a span first occurs and how often are one number each, and no span
crosses from one document into the next.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, Integer

from jamba_reader.constraints.suffix_automaton import NONE, ROOT, build_arrays, order_ends, step
from spider.errors import DataError

#: positions are int32, and there may be twice as many states as symbols
MOST_SYMBOLS = (1 << 30) - 1


class Occurrence(NamedTuple):
    """Where a span lies.

    Attributes:
        document: its position among the documents.
        start: first symbol, counted in the document.
        end: the symbol after the last.
    """

    document: int
    start: int
    end: int


class SpanAutomaton:
    """The suffix automaton of documents (Blumer et al. 1987), built in one pass.

    Args:
        documents: the symbols of each: token ids, or bytes. Some may be empty.

    Raises:
        DataError: a symbol is negative, or there are more than a billion in all.
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
        self._ends: tuple[np.ndarray, np.ndarray] | None = None

    def __len__(self) -> int:
        """Return the number of states."""
        return len(self.arrays.links)

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return len(self.starts) - 1

    @property
    def nbytes(self) -> int:
        """Bytes that the automaton takes."""
        return int(sum(array.nbytes for array in self.arrays))

    def step(self, state: int, symbol: int) -> int:
        """Return the state after one more symbol; NONE when no document goes on with it."""
        arrays = self.arrays
        return int(
            step(arrays.edge_starts, arrays.edge_symbols, arrays.edge_targets, state, symbol)
        )

    def walk(self, symbols: Sequence[int], state: int = ROOT) -> int:
        """Return the state after several symbols; NONE when they are no span."""
        for symbol in symbols:
            if state == NONE:
                break
            state = self.step(state, symbol)
        return state

    def continuations(self, state: int) -> Int32[np.ndarray, " _"]:
        """Return the symbols that some document goes on with, ascending; a view."""
        low, high = self.arrays.edge_starts[state : state + 2]
        return self.arrays.edge_symbols[low:high]

    def count(self, state: int) -> int:
        """Return how often the state's spans occur in all documents (the root's: symbols)."""
        return int(self.arrays.counts[state])

    def first(self, state: int, length: int) -> Occurrence:
        """Return where the span of ``length`` symbols that led to ``state`` occurs first."""
        return self._locate(int(self.arrays.first_ends[state]), length)

    def occurrences(self, state: int, length: int) -> Iterator[Occurrence]:
        """Yield every place of the span of ``length`` symbols that led to ``state``, in order."""
        if self._ends is None:
            self._ends = order_ends(self.arrays)
        begins, ends = self._ends
        begin = int(begins[state])
        for end in np.sort(ends[begin : begin + self.count(state)]).tolist():
            yield self._locate(end, length)

    def _locate(self, end: int, length: int) -> Occurrence:
        # the end of a span of at least one symbol: its last symbol decides the document
        document = int(np.searchsorted(self.starts, max(end - 1, 0), side="right")) - 1
        base = int(self.starts[document])
        return Occurrence(document, end - length - base, end - base)
