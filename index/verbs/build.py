"""Verb ``build``: corpus and embeddings → index."""

from dataclasses import dataclass, field
from pathlib import Path

from index.dense.contract import DenseIndex
from index.engines.tuning import Tuning
from index.fusion.contract import Fusion
from index.sparse.contract import SparseEngine
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class BuildSettings(StageSettings):
    """Settings of ``spider build``.

    Attributes:
        corpus: the passages.
        embeddings: their vectors; null builds only BM25.
        spans: recurring spans, whose held-out validation queries choose the weight of the dense
            score; null takes a cautious weight.
        dense: the variant that indexes vectors.
        sparse: the variant that indexes words; sparse=null builds only the dense part.
        fusion: the variant that joins the rankings.
        tuning: settings of choosing the weight of the dense score.
        device: where a transformer encodes the held-out queries: cpu, cuda or auto.
    """

    corpus: Execution[Path]
    embeddings: Execution[Path | None] = None
    spans: Execution[Path | None] = None
    dense: DenseIndex | None = None
    sparse: SparseEngine | None = None
    fusion: Fusion
    tuning: Tuning = field(default_factory=Tuning)
    device: Execution[str] = "auto"


def main(settings: BuildSettings) -> None:
    """Build the indexes of a corpus, and choose the weight that joins their rankings."""
    from index.embeddings.embeddings import Embeddings
    from index.engines.parts import IndexParts
    from index.engines.writer import build_index
    from spider.corpus.corpus import Corpus
    from spider.spans.span_store import SpanStore

    parts = IndexParts(
        corpus=Corpus.open(settings.corpus),
        embeddings=None if settings.embeddings is None else Embeddings.open(settings.embeddings),
        spans=None if settings.spans is None else SpanStore.open(settings.spans),
        dense=settings.dense,
        sparse=settings.sparse,
        fusion=settings.fusion,
        tuning=settings.tuning,
    )
    build_index(
        parts,
        settings.output,
        config=settings.resolved,
        device=settings.device,
        overwrite=settings.overwrite,
    )


if __name__ == "__main__":
    launch(main, verb="build")
