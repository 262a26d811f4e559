"""The parts that an index is built from, and a check that they belong to one corpus."""

from dataclasses import dataclass, field

from index.dense.contract import DenseIndex
from index.embeddings.embeddings import Embeddings
from index.engines.local import DENSE
from index.engines.question_words import QuestionWords
from index.engines.tuning import Tuning
from index.fusion.contract import Fusion, WeightedFusion
from index.sparse.contract import SparseEngine
from spider.artifacts.artifact import Artifact
from spider.corpus.corpus import Corpus
from spider.errors import ArtifactError, ConfigError
from spider.printable import counted
from spider.spans.span_store import SpanStore


@dataclass(frozen=True, kw_only=True)
class IndexParts:
    """The parts that an index is built from.

    Attributes:
        corpus: the passages.
        embeddings: their vectors; None builds only BM25.
        spans: recurring spans, whose held-out queries choose the weight; may be None.
        dense: the variant that indexes vectors; unused without embeddings.
        sparse: the variant that indexes words; None builds only the dense part.
        fusion: the variant that joins the rankings.
        tuning: settings of choosing the weight of the fusion.
        question_words: see :mod:`index.engines.question_words`; None lets the analyzer decide.
    """

    corpus: Corpus
    embeddings: Embeddings | None
    spans: SpanStore | None
    dense: DenseIndex | None
    sparse: SparseEngine | None
    fusion: Fusion
    tuning: Tuning = field(default_factory=Tuning)
    question_words: QuestionWords | None = None

    def inputs(self) -> dict[str, Artifact]:
        """Return the artifacts that are read."""
        inputs = {"corpus": self.corpus.artifact}
        if self.embeddings is not None:
            inputs["embeddings"] = self.embeddings.artifact
        if self.spans is not None:
            inputs["spans"] = self.spans.artifact
        return inputs


def check_parts(parts: IndexParts) -> None:
    """Refuse parts that do not belong to one corpus.

    Raises:
        ArtifactError: embeddings or spans are of another corpus, or of another size.
        ConfigError: there is nothing to build, or no weight of the fusion can be chosen.
    """
    _check_fusion(parts.fusion)
    if parts.embeddings is None and parts.sparse is None:
        raise ConfigError("nothing to build: give embeddings=FOLDER, a sparse engine, or both")
    if parts.embeddings is not None and parts.dense is None:
        raise ConfigError("embeddings need a dense index: dense=faiss_sqfp16")
    expected = parts.corpus.artifact.content_hash
    for name, artifact in parts.inputs().items():
        if name == "corpus":
            continue
        got = artifact.parent_hash("corpus")
        if got != expected:
            raise ArtifactError(
                f"{artifact.path} was made from a corpus with content hash {got}, but "
                f"{parts.corpus.path} has {expected}; make the {name} again"
            )
    if parts.embeddings is not None and len(parts.embeddings) != len(parts.corpus):
        raise ArtifactError(
            f"{parts.embeddings.artifact.path} holds {counted(len(parts.embeddings), 'vector')}, "
            f"{parts.corpus.path} has {counted(len(parts.corpus), 'passage')}; embed it again"
        )


def _check_fusion(fusion: Fusion) -> None:
    # the candidates and the cautious weight are meant for unit vectors and BM25
    untuned = fusion.untuned if isinstance(fusion, WeightedFusion) else None
    if untuned not in (None, DENSE):
        raise ConfigError(
            f"fusion.weights.{untuned} is null, but only the weight of {DENSE!r} can be chosen"
        )
