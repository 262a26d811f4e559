"""The analyzers of BM25, and the limit on the terms of a question; each engine uses both.

``anserini`` gives the terms of published scores: Anserini's English analyzer. ``folded`` gives one
term to spellings that a person takes for the same word; see :mod:`spider.text.analysis.folded`. The
manifest names the analyzer of an index, and its questions are analysed by the same one.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Literal, get_args

from spider.errors import ArtifactError, MissingDependencyError, SettingError

AnalyzerName = Literal["folded", "anserini"]
FOLDED: AnalyzerName = "folded"
ANSERINI: AnalyzerName = "anserini"
MAXIMUM_TERMS = 1 << 16
"""Different terms of a question that are searched, which is also set in Lucene."""

# how indexes of earlier versions name Anserini's analyzer
_EARLIER_NAMES = {"anserini DefaultEnglishAnalyzer (porter)", "lucene-like (porter)"}

logger = logging.getLogger(__name__)


def check_analyzer(analyzer: str | None) -> None:
    """Raise SettingError unless there is such an analyzer, or None for a choice at the build."""
    if analyzer is not None and analyzer not in get_args(AnalyzerName):
        raise SettingError("analyzer", analyzer, f"one of {get_args(AnalyzerName)}, or null")


def choose_analyzer(analyzer: AnalyzerName | None, corpus: object) -> AnalyzerName:
    """Return the configured analyzer; without one, that which fits the corpus.

    Published figures of a collection (BEIR, ``psgs_w100.tsv``) are Anserini's. Other documents are
    a person's own.
    """
    if analyzer is not None:
        return analyzer
    return ANSERINI if getattr(corpus, "published", False) else FOLDED


def recorded_analyzer(name: str, *, where: Path) -> AnalyzerName:
    """Return the analyzer that a manifest names.

    Raises:
        ArtifactError: this version does not know it.
    """
    for known in get_args(AnalyzerName):
        if name == known:
            found: AnalyzerName = known
            return found
    if name in _EARLIER_NAMES:
        return ANSERINI
    raise ArtifactError(
        f"{where}: the index has the analyzer {name!r}, expected one of {get_args(AnalyzerName)}; "
        "build the index again"
    )


def load_analyzer(name: AnalyzerName) -> Callable[[str], list[str]]:
    """Return the function from a text to its terms.

    Raises:
        MissingDependencyError: PyStemmer is not installed.
    """
    try:
        if name == FOLDED:
            from spider.text.analysis.folded import analyze
        else:
            from spider.text.analysis.anserini import analyze
    except ImportError as error:
        raise missing_library(error) from error
    return analyze


def missing_library(error: ImportError) -> MissingDependencyError:
    """Return the error that names the extra with bm25s and PyStemmer."""
    return MissingDependencyError(f"sparse search: {error}", extra="bm25s")


class TermLimit:
    """Keeps the first ``MAXIMUM_TERMS`` different terms of a question. Threads may share it.

    Attributes:
        cut_questions: number of questions so far that had more.
    """

    def __init__(self) -> None:
        self.cut_questions = 0
        self._lock = Lock()

    def keep(self, terms: list[str]) -> list[str]:
        """Return the terms of a question that are searched, with their repetitions."""
        if len(terms) <= MAXIMUM_TERMS:
            return terms
        different = list(dict.fromkeys(terms))
        if len(different) <= MAXIMUM_TERMS:
            return terms
        with self._lock:
            self.cut_questions += 1
        logger.warning(
            "a question of %d different terms (from %r on): BM25 searches its first %d",
            *(len(different), different[0], MAXIMUM_TERMS),
        )
        kept = frozenset(different[:MAXIMUM_TERMS])
        return [term for term in terms if term in kept]
