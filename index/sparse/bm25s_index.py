"""BM25 by bm25s, with analyzers in Python, for machines that cannot run a JVM.

When it indexes, bm25s computes the score of every term in every passage. The result is stored as a
sparse matrix with one column for each term.
"""

import logging
import shutil
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from index.sparse.analyzers import (
    AnalyzerName,
    check_analyzer,
    choose_analyzer,
    load_analyzer,
    missing_library,
    recorded_analyzer,
)
from index.sparse.bm25s_searcher import DATA, ROWS, STARTS, VOCABULARY, Bm25sIndex
from index.sparse.contract import (
    Needs,
    PassageTexts,
    check_bm25,
    indexed_blocks,
    save_made_with,
)
from spider.artifacts.atomic_files import save_array, write_json
from spider.artifacts.record import DetailsRecord
from spider.progress import Progress

#: 0.77 on 113,898 passages of Wikipedia (71 MB of text), where a term is stored in 8 bytes
DISK_PER_TEXT_BYTE = 1.0
#: 8.0 there: 5 KiB for each passage, most of it for the terms before they are scored
MEMORY_PER_TEXT_BYTE = 9.0


@dataclass(frozen=True, kw_only=True)
class Bm25sRecord(DetailsRecord):
    """The manifest's details of a sparse part that bm25s scored.

    Attributes:
        variant: the file in ``index/sparse`` that loads it.
        k1: saturation of the term frequency.
        b: strength of the length normalisation.
        analyzer: name of the analyzer.
        passages: number of passages.
        passages_without_terms: number of passages without a term.
        terms: number of different terms.
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
        analyzer: ``folded`` takes spellings of one word as one term, ``anserini`` gives published
            scores; null takes anserini for BEIR and psgs_w100, and folded for other documents.
    """

    variant = "bm25s_index"

    def __init__(self, *, k1: float = 0.9, b: float = 0.4, analyzer: AnalyzerName | None = None):
        check_bm25(k1, b)
        check_analyzer(analyzer)
        self.k1 = k1
        self.b = b
        self.analyzer = analyzer

    def needs(self, text_bytes: int) -> Needs:
        """Estimate what building an index of that much text takes."""
        return Needs(int(text_bytes * DISK_PER_TEXT_BYTE), int(text_bytes * MEMORY_PER_TEXT_BYTE))

    def build(
        self, corpus: PassageTexts, folder: Path, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Index a corpus; the content of the folder is replaced.

        Scores are Lucene's: without the factor k1 + 1, with lengths of passages rounded as in
        Lucene, and without passages that have no term in the averages.

        Returns:
            Settings and counts, for :func:`load` and the manifest.

        Raises:
            MissingDependencyError: bm25s or PyStemmer is not installed.
        """
        analyzer = choose_analyzer(self.analyzer, corpus)
        bm25s, analyze = _bm25s(), load_analyzer(analyzer)
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
            analyzer=analyzer,
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
        # the frequencies are recovered from the scores, which needs double precision
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


def lucene_length(lengths: Int64[np.ndarray, " passages"]) -> Int64[np.ndarray, " passages"]:
    """Round lengths down to the values that Lucene stores in one byte: exact up to 40 terms.

    Source: Lucene 9 ``SmallFloat.intToByte4``: above 24, three bits after the leading one.
    """
    above = np.maximum(lengths - 24, 0)
    shift = np.maximum(np.frexp(above.astype(np.float64))[1].astype(np.int64) - 4, 0)
    rounded: np.ndarray = np.minimum(lengths, 24) + ((above >> shift) << shift)
    return rounded


def load(folder: Path, details: Mapping[str, Any]) -> Bm25sIndex:
    """Open what :meth:`Bm25s.build` wrote.

    Raises:
        ArtifactError: the folder holds no such index, or it has another version's analyzer.
        MissingDependencyError: PyStemmer is not installed.
    """
    record = Bm25sRecord.from_details(details, where=folder)
    analyzer = recorded_analyzer(record.analyzer, where=folder)
    return Bm25sIndex(folder, passages=record.passages, analyzer=analyzer)


def _bm25s() -> Any:
    try:
        import bm25s
    except ImportError as error:
        raise missing_library(error) from error
    # it sets its own log level, whatever the root's level is
    logging.getLogger(bm25s.__name__).setLevel(logging.WARNING)
    return bm25s
