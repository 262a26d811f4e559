"""Searches an index of bm25s by adding up the columns of the question's terms.

numpy does this in milliseconds, so nothing is compiled, and searching does not need bm25s.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from index.sparse.analyzers import AnalyzerName, TermLimit, load_analyzer
from index.sparse.contract import indexed_text
from spider.artifacts.array_stream import open_array
from spider.errors import ArtifactError
from spider.ranking import Hits, pad_hits
from spider.reading import read_json

DATA = "scores.npy"
ROWS = "rows.npy"
STARTS = "starts.npy"
VOCABULARY = "vocabulary.json"


class Bm25sIndex:
    """An open bm25s index, memory-mapped. Threads may share it.

    Args:
        folder: the folder that ``build`` wrote.
        passages: number of indexed passages.
        analyzer: the analyzer of the index.
    """

    def __init__(self, folder: Path, *, passages: int, analyzer: AnalyzerName):
        self._analyze = load_analyzer(analyzer)
        self._limit = TermLimit()
        self._data = open_array(folder / DATA, row_shape=())
        self._rows = open_array(folder / ROWS, np.int32, ())
        self._starts = np.array(open_array(folder / STARTS, row_shape=()))
        vocabulary = read_json(folder / VOCABULARY, error=ArtifactError)
        if not isinstance(vocabulary, list) or len(self._starts) != len(vocabulary) + 1:
            raise ArtifactError(f"{folder / VOCABULARY}: got another number of terms than columns")
        if not len(self._data) == len(self._rows) == self._starts[-1]:
            raise ArtifactError(f"{folder}: the arrays of the bm25s index differ in length")
        self._vocabulary = {term: number for number, term in enumerate(vocabulary)}
        self._passages = passages

    def __len__(self) -> int:
        """Count the indexed passages."""
        return self._passages

    @property
    def cut_questions(self) -> int:
        """Number of questions so far that had more terms than are searched."""
        return self._limit.cut_questions

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        """Return at most ``depth`` passages for each question, best first."""
        depth = min(depth, self._passages)
        return pad_hits([self._search_one(question, depth) for question in questions], depth)

    def _search_one(
        self, question: str, depth: int
    ) -> tuple[Int64[np.ndarray, " hits"], Float32[np.ndarray, " hits"]]:
        # summed in double precision and rounded once, so that equal passages score equally
        sums = np.zeros(self._passages, dtype=np.float64)
        for term, count in self._terms(question):
            column = slice(self._starts[term], self._starts[term + 1])
            sums[self._rows[column]] += count * self._data[column]
        scores = sums.astype(np.float32)
        found = np.flatnonzero(scores)
        return best_first(found, scores[found], depth)

    def _terms(self, question: str) -> list[tuple[int, np.float64]]:
        counts = Counter(self._limit.keep(self._analyze(indexed_text("", question))))
        known = [(self._vocabulary.get(term), count) for term, count in counts.items()]
        return [(term, np.float64(count)) for term, count in known if term is not None]

    def close(self) -> None:
        """Release the mapped files."""
        self._data = self._rows = np.zeros(0, dtype=np.float32)
        self._vocabulary = {}


def best_first(
    positions: Int64[np.ndarray, " found"], scores: Float32[np.ndarray, " found"], depth: int
) -> tuple[Int64[np.ndarray, " hits"], Float32[np.ndarray, " hits"]]:
    """Return the ``depth`` best: score descending, position ascending, also among ties at the cut.

    Args:
        positions: ascending.
        scores: their scores.
        depth: largest number of passages to return.
    """
    if len(positions) > depth:
        cut = len(scores) - depth
        least = np.partition(scores, cut)[cut]
        above = np.flatnonzero(scores > least)
        level = np.flatnonzero(scores == least)[: depth - len(above)]
        kept = np.concatenate([above, level])
        positions, scores = positions[kept], scores[kept]
    order = np.lexsort((positions, -scores))
    return positions[order], scores[order]
