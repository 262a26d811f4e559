"""Verb ``build``: corpus and embeddings → index."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index.dense.contract import DenseIndex
from index.fusion.contract import Fusion
from index.sparse.contract import EXECUTION, SparseEngine
from spider.launch.entrypoint import launch


@dataclass(frozen=True, kw_only=True)
class BuildConfig:
    """Settings of ``spider build``.

    Attributes:
        workspace: folder of this undertaking's artifacts.
        corpus: the passages.
        embeddings: their vectors; null builds BM25 alone.
        spans: recurring spans, whose held-out validation queries choose the weight of the dense
            score; null takes a cautious one.
        output: where the index goes.
        dense: how vectors are indexed.
        sparse: how words are indexed; sparse=null builds the dense part alone.
        fusion: how the two rankings are joined.
        tuning_queries: held-out queries that choose the dense weight, at most.
        tuning_fewest: with fewer of them, the weight is a cautious one.
        seed: which of them, where there are more.
        device: where a transformer encodes those queries: cpu, cuda or auto.
        overwrite: replace an index made from other settings or inputs.
    """

    workspace: Path = Path("spider-work/default")
    corpus: Path
    embeddings: Path | None = None
    spans: Path | None = None
    output: Path
    dense: DenseIndex | None = None
    sparse: SparseEngine | None = None
    fusion: Fusion
    tuning_queries: int = 1000
    tuning_fewest: int = 50
    seed: int = 0
    device: str = "auto"
    overwrite: bool = False
    resolved: Mapping[str, Any] = field(default_factory=dict)


def main(config: BuildConfig) -> None:
    """Build both indexes of a corpus, and settle how they are joined."""
    from index.embeddings.embeddings import Embeddings
    from index.engines.parts import IndexParts, Tuning
    from index.engines.writer import build_index
    from spider.corpus.corpus import Corpus
    from spider.spans.span_store import SpanStore

    parts = IndexParts(
        corpus=Corpus.open(config.corpus),
        embeddings=None if config.embeddings is None else Embeddings.open(config.embeddings),
        spans=None if config.spans is None else SpanStore.open(config.spans),
        dense=config.dense,
        sparse=config.sparse,
        fusion=config.fusion,
        tuning=Tuning(queries=config.tuning_queries, fewest=config.tuning_fewest, seed=config.seed),
    )
    build_index(
        parts,
        config.output,
        config=_content(config.resolved),
        device=config.device,
        overwrite=config.overwrite,
    )


def _content(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the execution settings that lie within ``sparse``; the launcher drops those beside it.

    With more threads or a larger heap the same index is built.
    """
    sparse = resolved.get("sparse")
    if not isinstance(sparse, Mapping):
        return dict(resolved)
    kept = {key: value for key, value in sparse.items() if key not in EXECUTION}
    return {**resolved, "sparse": kept}


if __name__ == "__main__":
    launch(main, verb="build")
