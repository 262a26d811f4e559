"""What an index is made of, checked for being of one corpus."""

from dataclasses import dataclass

from index.dense.dense_index import DenseIndex
from index.embeddings.embeddings import Embeddings
from index.engines.tuning import Tuning
from index.fusion.fusion import Fusion
from index.sparse.sparse_index import SparseEngine
from spider.artifacts.artifact import Artifact
from spider.corpus.corpus import Corpus
from spider.errors import ArtifactError, ConfigError
from spider.spans.span_store import SpanStore


@dataclass(frozen=True, kw_only=True)
class IndexParts:
    """What an index is made of.

    Attributes:
        corpus: the passages.
        embeddings: their vectors; None builds BM25 alone.
        spans: recurring spans, whose held-out queries choose the dense weight; may be None.
        dense: how vectors are indexed; unused without embeddings.
        sparse: how words are indexed; None builds the dense part alone.
        fusion: how the two are joined.
        tuning: how the dense weight is chosen.
    """

    corpus: Corpus
    embeddings: Embeddings | None
    spans: SpanStore | None
    dense: DenseIndex | None
    sparse: SparseEngine | None
    fusion: Fusion
    tuning: Tuning

    def inputs(self) -> dict[str, Artifact]:
        """Return the artifacts that are read."""
        inputs = {"corpus": self.corpus.artifact}
        if self.embeddings is not None:
            inputs["embeddings"] = self.embeddings.artifact
        if self.spans is not None:
            inputs["spans"] = self.spans.artifact
        return inputs


def check_parts(parts: IndexParts) -> None:
    """Refuse parts that are not of one corpus.

    Raises:
        ArtifactError: embeddings or spans are of another corpus, or of another size.
        ConfigError: there is nothing to build.
    """
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
            f"{parts.embeddings.artifact.path} holds {len(parts.embeddings):,} vectors, "
            f"{parts.corpus.path} has {len(parts.corpus):,} passages; embed it again"
        )
