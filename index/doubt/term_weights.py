"""The share of a question that a passage holds, its terms weighted by their rarity.

A term's weight is BM25's ``idf = ln(1 + (N - n + 0.5) / (n + 0.5))`` (Robertson and Zaragoza 2009),
with n of N sampled passages holding the term. A term that the sample lacks weighs most, so a
question about something else has a small share. Question words and function words have no weight.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt32, UInt64

from spider.array_file import load_array
from spider.artifacts.atomic_files import save_array
from spider.corpus.corpus import Corpus
from spider.errors import ArtifactError
from spider.text.analysis.folded import analyze
from spider.text.stop_words import NOT_HIGHLIGHTED, SPLINTER
from spider.text.words import WORD_CHARACTERS

SAMPLE = 20_000
"""Passages that are counted: enough for the weights, and seconds of work in any corpus."""
TERMS = "coverage-terms.npy"
COUNTS = "coverage-counts.npy"
FILES = (TERMS, COUNTS)
_WITHOUT_WEIGHT = SPLINTER | NOT_HIGHLIGHTED


class TermWeights:
    """Weights of terms by rarity; without counts every term weighs the same.

    Args:
        hashes: 64-bit hashes of the terms, ascending.
        counts: number of sampled passages that hold each term; the last is that of all passages.
    """

    def __init__(
        self, hashes: UInt64[np.ndarray, " terms"], counts: UInt32[np.ndarray, " terms_and_total"]
    ):
        if len(counts) != len(hashes) + 1:
            raise ArtifactError(f"{len(counts)} counts for {len(hashes)} terms; build again")
        self._hashes = hashes
        self._counts = counts

    @classmethod
    def equal(cls) -> "TermWeights":
        """Return weights under which every term counts the same."""
        return cls(np.zeros(0, np.uint64), np.zeros(1, np.uint32))

    @classmethod
    def learn(cls, corpus: Corpus, sample: int = SAMPLE) -> "TermWeights":
        """Count the terms of at most ``sample`` passages, evenly spread over a corpus."""
        found: Counter[int] = Counter()
        n = min(sample, len(corpus))
        for position in np.linspace(0, len(corpus) - 1, n).astype(np.int64).tolist():
            terms = passage_terms(corpus.title(position), corpus.text(position))
            found.update(map(_hash, terms))
        hashes = np.array(sorted(found), dtype=np.uint64)
        counts = np.array([*(found[key] for key in hashes.tolist()), n], dtype=np.uint32)
        return cls(hashes, counts)

    def save(self, folder: Path) -> None:
        """Write both arrays into an existing folder."""
        save_array(folder / TERMS, self._hashes)
        save_array(folder / COUNTS, self._counts)

    @classmethod
    def load(cls, folder: Path) -> "TermWeights":
        """Read what :meth:`save` wrote.

        Raises:
            ArtifactError: a file is missing or damaged.
        """
        hashes, counts = (load_array(folder / name, error=ArtifactError) for name in FILES)
        for name, array, dtype in ((TERMS, hashes, np.uint64), (COUNTS, counts, np.uint32)):
            if array.dtype != dtype or array.ndim != 1:
                raise ArtifactError(
                    f"{folder / name}: got {array.dtype} values of shape {array.shape}, expected "
                    f"one dimension of {np.dtype(dtype)}; build the index again"
                )
        return cls(hashes, counts)

    def weights(self, terms: Sequence[str]) -> np.ndarray:
        """Return the weight of each term."""
        hashes = np.array([_hash(term) for term in terms], dtype=np.uint64)
        places = np.searchsorted(self._hashes, hashes)
        held = np.zeros(len(terms))
        for row, place in enumerate(places.tolist()):
            if place < len(self._hashes) and self._hashes[place] == hashes[row]:
                held[row] = self._counts[place]
        total = float(self._counts[-1])
        return np.asarray(np.log1p((np.maximum(total - held, 0) + 0.5) / (held + 0.5)))

    def coverage(self, question: str, passages: Iterable[frozenset[str]]) -> float | None:
        """Return the largest share of a question's weight that one of the passages holds.

        Args:
            question: its text.
            passages: terms of each, from :func:`passage_terms`.

        Returns:
            0 to 1; None for a question that has no term with a weight.
        """
        terms = question_terms(question)
        if not terms:
            return None
        weights = self.weights(terms)
        shares = [
            float(weights[[term in held for term in terms]].sum() / weights.sum())
            for held in passages
        ]
        return max(shares, default=0.0)


def question_terms(question: str) -> list[str]:
    """Return the different terms of a question that have a weight, in order."""
    words = (word for word in WORD_CHARACTERS.findall(question))
    informative = (word for word in words if word.casefold() not in _WITHOUT_WEIGHT)
    return list(dict.fromkeys(term for word in informative for term in analyze(word)))


def passage_terms(title: str, text: str) -> frozenset[str]:
    """Return the terms of a passage and its title."""
    return frozenset(analyze(f"{title}\n{text}"))


def _hash(term: str) -> int:
    data = term.encode(errors="replace")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
