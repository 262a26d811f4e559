"""Lucene if a JVM can run, else bm25s; the choice is made once and logged."""

import functools
import logging
from pathlib import Path
from typing import Any

from index.sparse.analyzers import AnalyzerName
from index.sparse.bm25s_index import Bm25s
from index.sparse.contract import Needs, PassageTexts, SparseEngine
from index.sparse.jvm import plan_jvm, preflight
from index.sparse.lucene import Lucene
from spider.progress import Progress
from spider.settings import Execution

logger = logging.getLogger(__name__)


class Auto:
    """Build with Lucene if this machine can run it, else with bm25s.

    Args:
        k1: saturation of the term frequency.
        b: strength of the length normalisation, 0 to 1.
        threads: questions that Lucene searches at a time.
        heap: the largest heap of the Java virtual machine, such as "2g".
        analyzer: ``folded`` takes spellings of one word as one term, ``anserini`` gives published
            scores; null takes anserini for BEIR and psgs_w100, and folded for other documents.
    """

    def __init__(
        self,
        *,
        k1: float = 0.9,
        b: float = 0.4,
        threads: Execution[int] = 2,
        heap: Execution[str] = "2g",
        analyzer: AnalyzerName | None = None,
    ):
        self.lucene = Lucene(k1=k1, b=b, threads=threads, heap=heap, analyzer=analyzer)
        self.bm25s = Bm25s(k1=k1, b=b, analyzer=analyzer)

    @functools.cached_property
    def engine(self) -> SparseEngine:
        """The engine that this machine can run."""
        obstacle = preflight(plan_jvm(heap=self.lucene.heap))
        if not obstacle:
            return self.lucene
        logger.warning("sparse index: bm25s instead of Lucene: %s", obstacle)
        return self.bm25s

    @property
    def variant(self) -> str:
        """The module of ``index/sparse`` that loads what ``build`` wrote."""
        return self.engine.variant

    def needs(self, text_bytes: int) -> Needs:
        """Estimate what building an index of that much text takes."""
        return self.engine.needs(text_bytes)

    def build(
        self, corpus: PassageTexts, folder: Path, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Index a corpus; the returned details name the variant that was used."""
        return self.engine.build(corpus, folder, progress)
