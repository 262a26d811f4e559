"""The protocol of a pairing: numbered pairs of a query and its passages, drawn without labels."""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64, Integer

from spider.corpus.corpus import Corpus
from spider.spans.span_store import SpanStore
from spider.text.token_store import TokenStore

NO_NEGATIVE = -1
NOTHING: Int64[np.ndarray, " 0"] = np.zeros(0, dtype=np.int64)


class PairExample(NamedTuple):
    """A query with its positive and, perhaps, a negative passage.

    Attributes:
        query: token ids, without special tokens and without title.
        positive: position of the positive passage.
        negative: position of a passage of the same document that is no answer, or -1.
        known: positions of all passages known not to be negatives of this query: its own, the
            positive, and the others with the recurring span.
        positive_text: ids of the positive's text, where it is not the whole passage.
        titled: whether the positive is shown with its title.
    """

    query: Integer[np.ndarray, " _"]
    positive: int
    negative: int = NO_NEGATIVE
    known: Int64[np.ndarray, " _"] = NOTHING
    positive_text: Integer[np.ndarray, " _"] | None = None
    titled: bool = True


@runtime_checkable
class PreparedPairing(Protocol):
    """A pairing bound to a corpus."""

    def __len__(self) -> int:
        """Number of pairs in one pass."""

    def order(self, rng: np.random.Generator) -> Int64[np.ndarray, " pairs"]:
        """Return the indices of one pass, in random order; every pass has ``len()`` of them."""

    def example(self, index: int, rng: np.random.Generator) -> PairExample:
        """Draw the pair of that index; another call may draw another pair."""


@runtime_checkable
class Pairing(Protocol):
    """Settings of a pairing, which has one file in this folder and one yaml in ``conf/pairing``."""

    def prepare(self, corpus: Corpus, spans: SpanStore, tokens: TokenStore) -> PreparedPairing:
        """Bind the settings to a corpus; only training documents are used."""


def other_passage(
    candidates: range, without: Int64[np.ndarray, " _"], rng: np.random.Generator
) -> int:
    """Draw a position in ``candidates`` that is not in ``without``, uniformly; -1 if there is none.

    Args:
        candidates: adjacent positions.
        without: ascending, distinct positions.
        rng: the only source of randomness.
    """
    inside = [p for p in without.tolist() if candidates.start <= p < candidates.stop]
    free = len(candidates) - len(inside)
    if free <= 0:
        return NO_NEGATIVE
    drawn = candidates.start + int(rng.integers(free))
    for position in inside:
        if drawn >= position:
            drawn += 1
    return drawn
