"""Verb ``build``: corpus and embeddings → index."""

from dataclasses import dataclass, field
from pathlib import Path

from index.dense.contract import DenseIndex
from index.engines.question_words import QuestionWords
from index.engines.tuning import Tuning
from index.fusion.contract import Fusion
from index.sparse.contract import SparseEngine
from spider.artifacts.artifact import Artifact
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class BuildSettings(StageSettings):
    """Settings of ``spider build``.

    Attributes:
        corpus: the passages; null takes those that the embeddings were made from.
        embeddings: their vectors; null builds only BM25, which needs no spans.
        spans: recurring spans, whose held-out validation queries choose the weight of the dense
            score; null takes a cautious weight.
        dense: the variant that indexes vectors.
        sparse: the variant that indexes words; sparse=null builds only the dense part.
        fusion: the variant that joins the rankings.
        tuning: settings of choosing the weight of the dense score.
        question_words: drop makes BM25 ignore the words that make a sentence a question ("how do
            I"); keep searches them; null keeps them with the analyzer of published scores alone.
        device: where a transformer encodes the held-out queries: cpu, cuda or auto.
    """

    corpus: Execution[Path | None] = None
    embeddings: Execution[Path | None] = None
    spans: Execution[Path | None] = None
    dense: DenseIndex | None = None
    sparse: SparseEngine | None = None
    fusion: Fusion
    tuning: Tuning = field(default_factory=Tuning)
    question_words: QuestionWords | None = None
    device: Execution[str] = "auto"


def main(settings: BuildSettings) -> None:
    """Build the indexes of a corpus, and choose the weight that joins their rankings."""
    from index.embeddings.embeddings import Embeddings
    from index.engines.parts import IndexParts
    from index.engines.writer import build_index
    from spider.artifacts.chain import find_input
    from spider.corpus.corpus import Corpus
    from spider.spans.span_store import SpanStore

    embeddings = None if settings.embeddings is None else Embeddings.open(settings.embeddings)
    through = None if embeddings is None else embeddings.artifact
    corpus = find_input("corpus", settings.corpus, through=through, workspace=settings.workspace)
    spans = _spans(settings, through)
    parts = IndexParts(
        corpus=Corpus(corpus),
        embeddings=embeddings,
        spans=None if spans is None else SpanStore.open(spans),
        dense=settings.dense,
        sparse=settings.sparse,
        fusion=settings.fusion,
        tuning=settings.tuning,
        question_words=settings.question_words,
    )
    build_index(
        parts,
        settings.output,
        config=settings.resolved,
        device=settings.device,
        overwrite=settings.overwrite,
    )


def _spans(settings: BuildSettings, embeddings: Artifact | None) -> Path | None:
    """Return the folder of the spans, or None where no weight is chosen.

    Spans that nobody named, and that are not in the workspace, are those of the encoder that made
    the embeddings.
    """
    if "spans" in settings.given or settings.spans is None:
        return settings.spans
    if embeddings is None:
        return None
    if settings.spans.exists() or "encoder" not in embeddings.manifest["inputs"]:
        return settings.spans
    encoder = embeddings.parent("encoder")
    return encoder.parent("spans").path if "spans" in encoder.manifest["inputs"] else settings.spans


if __name__ == "__main__":
    launch(main, verb="build")
