"""BM25 by bm25s, with our Lucene-like analyzer, for where no JVM can run.

bm25s computes every term's score in every passage when it indexes; what it stores is a sparse
matrix by columns, one column a term. Searching adds up the columns of a question's terms, which
numpy does in milliseconds, so nothing is compiled and bm25s itself is not needed to search.
"""

import logging
import shutil
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from index.sparse.contract import (
    PassageTexts,
    check_bm25,
    indexed_blocks,
    indexed_text,
    save_made_with,
)
from spider.artifacts.atomic_files import read_json, save_array, write_json
from spider.artifacts.record import DetailsRecord
from spider.errors import ArtifactError, MissingDependencyError
from spider.progress import Progress
from spider.ranking import Hits, pad_hits

ANALYZER = "lucene-like (porter)"
DATA = "scores.npy"
ROWS = "rows.npy"
STARTS = "starts.npy"
VOCABULARY = "vocabulary.json"


@dataclass(frozen=True, kw_only=True)
class Bm25sRecord(DetailsRecord):
    """What a manifest says of a sparse part that bm25s scored.

    Attributes:
        variant: the file in ``index/sparse`` that loads it.
        k1: saturation of the term frequency.
        b: strength of the length normalisation.
        analyzer: what makes terms of texts.
        passages: how many passages it holds.
        passages_without_terms: how many of these have no term.
        terms: how many different terms there are.
    """

    variant: str
    k1: float
    b: float
    analyzer: str
    passages: int
    passages_without_terms: int
    terms: int


class Bm25s:
    """Build BM25 indexes with bm25s.

    Args:
        k1: saturation of the term frequency.
        b: strength of the length normalisation, 0 to 1.
    """

    variant = "bm25s_index"

    def __init__(self, *, k1: float = 0.9, b: float = 0.4):
        check_bm25(k1, b)
        self.k1 = k1
        self.b = b

    def build(
        self, corpus: PassageTexts, folder: Path, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Index a corpus; whatever is in the folder is replaced.

        Scores are Lucene's: without the factor k1 + 1, with passage lengths rounded as Lucene
        rounds them, and passages without a term counted in no average.

        Returns:
            Settings and counts, for :func:`load` and the manifest.

        Raises:
            MissingDependencyError: bm25s or PyStemmer is not installed.
        """
        bm25s, analyze = _libraries()
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        vocabulary: dict[str, int] = {}
        terms: list[array[int]] = []
        held: list[int] = []
        for first, texts in indexed_blocks(corpus):
            for position, text in enumerate(texts, start=first):
                numbers = [vocabulary.setdefault(t, len(vocabulary)) for t in analyze(text)]
                if numbers:
                    held.append(position)
                    terms.append(array("i", numbers))
            if progress is not None:
                progress.advance(len(texts))
        data, rows, starts = self._score(bm25s, terms, vocabulary)
        save_array(folder / DATA, data)
        save_array(folder / ROWS, np.asarray(held, dtype=np.int32)[rows])
        save_array(folder / STARTS, starts)
        write_json(folder / VOCABULARY, list(vocabulary))
        save_made_with(folder, {"bm25s_version": bm25s.__version__})
        return Bm25sRecord(
            variant=self.variant,
            k1=self.k1,
            b=self.b,
            analyzer=ANALYZER,
            passages=len(corpus),
            passages_without_terms=len(corpus) - len(held),
            terms=len(vocabulary),
        ).to_details()

    def _score(
        self, bm25s: Any, terms: list["array[int]"], vocabulary: dict[str, int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the columns of scores: values, rows and where each term's column starts."""
        if not terms:
            return np.zeros(0, np.float32), np.zeros(0, np.int32), np.zeros(1, np.int64)
        # the frequencies are read back from the scores, which single precision could not bear
        precise = {"dtype": "float64", "int_dtype": "int32"}
        engine = bm25s.BM25(k1=self.k1, b=self.b, method="lucene", **precise)
        engine.index((terms, vocabulary), create_empty_token=False, show_progress=False)
        rows, starts = engine.scores["indices"], engine.scores["indptr"].astype(np.int64)
        if self.k1 == 0:
            return engine.scores["data"].astype(np.float32), rows, starts
        lengths = np.array([len(numbers) for numbers in terms], dtype=np.int64)
        found_in = np.diff(starts)
        idf = np.repeat(np.log1p((len(terms) - found_in + 0.5) / (found_in + 0.5)), found_in)
        share = engine.scores["data"] / idf
        frequency = np.rint(share * self._norm(lengths, lengths.mean())[rows] / (1 - share))
        norm = self._norm(lucene_length(lengths), lengths.mean())[rows]
        return (idf * frequency / (frequency + norm)).astype(np.float32), rows, starts

    def _norm(
        self, lengths: Int64[np.ndarray, " passages"], average: float
    ) -> Float64[np.ndarray, " passages"]:
        norms: np.ndarray = self.k1 * (1 - self.b + self.b * lengths / average)
        return norms


class Bm25sIndex:
    """An opened bm25s index, memory-mapped; threads may share it.

    Args:
        folder: where :meth:`Bm25s.build` wrote.
        passages: how many passages were indexed.
    """

    def __init__(self, folder: Path, *, passages: int):
        _, self._analyze = _libraries(indexing=False)
        try:
            self._data = np.load(folder / DATA, mmap_mode="r", allow_pickle=False)
            self._rows = np.load(folder / ROWS, mmap_mode="r", allow_pickle=False)
            self._starts = np.load(folder / STARTS, allow_pickle=False)
            vocabulary = read_json(folder / VOCABULARY)
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{folder}: no bm25s index: {error}") from error
        if not len(self._data) == len(self._rows) == self._starts[-1]:
            raise ArtifactError(f"{folder}: the arrays of the bm25s index differ in length")
        self._vocabulary = {term: number for number, term in enumerate(vocabulary)}
        self._passages = passages

    def __len__(self) -> int:
        """Count the indexed passages."""
        return self._passages

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        """Return at most ``depth`` passages for each question, best first."""
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
        counts = Counter(self._analyze(indexed_text("", question)))
        known = [(self._vocabulary.get(term), count) for term, count in counts.items()]
        return [(term, np.float64(count)) for term, count in known if term is not None]

    def close(self) -> None:
        """Let go of the mapped files."""
        self._data = self._rows = np.zeros(0, dtype=np.float32)
        self._vocabulary = {}


def lucene_length(lengths: Int64[np.ndarray, " passages"]) -> Int64[np.ndarray, " passages"]:
    """Round lengths down to what Lucene's one byte a passage can hold: exact to 40 terms.

    Source: Lucene 9 ``SmallFloat.intToByte4``: above 24, three bits after the leading one.
    """
    above = np.maximum(lengths - 24, 0)
    shift = np.maximum(np.frexp(above.astype(np.float64))[1].astype(np.int64) - 4, 0)
    rounded: np.ndarray = np.minimum(lengths, 24) + ((above >> shift) << shift)
    return rounded


def best_first(
    positions: Int64[np.ndarray, " found"], scores: Float32[np.ndarray, " found"], depth: int
) -> tuple[Int64[np.ndarray, " hits"], Float32[np.ndarray, " hits"]]:
    """Return the ``depth`` best, by score descending and position ascending, ties at the cut too.

    Args:
        positions: ascending.
        scores: their scores.
        depth: how many to return at most.
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


def load(folder: Path, details: Mapping[str, Any]) -> Bm25sIndex:
    """Open what :meth:`Bm25s.build` wrote.

    Raises:
        ArtifactError: the folder holds no such index.
        MissingDependencyError: PyStemmer is not installed.
    """
    return Bm25sIndex(folder, passages=Bm25sRecord.from_details(details, where=folder).passages)


def _libraries(*, indexing: bool = True) -> tuple[Any, Any]:
    try:
        from spider.text.anserini_analysis import analyze

        if not indexing:
            return None, analyze
        import bm25s
    except ImportError as error:
        raise MissingDependencyError(
            f"sparse search without Lucene: {error}", extra="bm25s"
        ) from error
    # it logs at its own level, whatever the root's is
    logging.getLogger(bm25s.__name__).setLevel(logging.WARNING)
    return bm25s, analyze
