"""Opening an index artifact with its corpus and its encoder, each checked against the manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.dense.dense_index import load_dense
from index.engines.hybrid import SYSTEMS, HybridRetriever
from index.fusion.fusion import Fusion, load_fusion
from index.sparse.sparse_index import SparseIndex
from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.variants import load_variant
from spider.corpus.corpus import Corpus
from spider.errors import ArtifactError, ConfigError

if TYPE_CHECKING:
    from spider.interfaces import QuestionEncoder

DENSE = "dense"
SPARSE = "sparse"
ENCODER_PATH = "encoder_path"
"""In the volatile part of the manifest: the encoder, relative to the index."""


@dataclass(frozen=True, kw_only=True)
class OpenIndex:
    """An index that is open for search.

    Attributes:
        artifact: its manifest and parents.
        corpus: what its positions point into.
        retriever: searches it.
    """

    artifact: Artifact
    corpus: Corpus
    retriever: HybridRetriever

    def close(self) -> None:
        """Release threads and files."""
        self.retriever.close()


def open_index(
    path: Path,
    *,
    corpus: Path | None = None,
    encoder: Path | None = None,
    systems: Sequence[str] | None = None,
    fusion: Fusion | None = None,
    device: str = "cpu",
) -> OpenIndex:
    """Open an index for search.

    Args:
        path: the index artifact.
        corpus: the corpus; None takes the one that the index was built from.
        encoder: the encoder; None takes the one that embedded the passages.
        systems: what will be asked, so that nothing else is loaded; None means all there is.
        fusion: instead of the one that was built in.
        device: where a transformer runs.

    Raises:
        ArtifactError: an artifact is missing, or is not the one that the index was built with.
        ConfigError: a system is asked for that the index does not have.
        MissingDependencyError: faiss, or a JVM, is missing.
    """
    artifact = open_artifact(path, kind="index")
    wanted = check_systems(artifact, systems)
    opened_corpus = open_corpus(artifact, corpus)
    dense, question_encoder, sparse = None, None, None
    if {"dense", "hybrid"} & set(wanted):
        question_encoder = _open_encoder(artifact, encoder, device)
        dense = load_dense(path / DENSE, artifact.details["dense"])
        _check_dimension(artifact, dense.dimension, question_encoder.dimension)
    if {"bm25", "hybrid"} & set(wanted):
        sparse = load_sparse(path / SPARSE, artifact.details["sparse"])
    if fusion is None and "hybrid" in wanted:
        fusion = load_fusion(artifact.details["fusion"])
    retriever = HybridRetriever(dense=dense, encoder=question_encoder, sparse=sparse, fusion=fusion)
    return OpenIndex(artifact=artifact, corpus=opened_corpus, retriever=retriever)


def available_systems(artifact: Artifact) -> tuple[str, ...]:
    """Return the systems that an index has, without opening its files."""
    there = {"bm25": artifact.details["sparse"], "dense": artifact.details["dense"]}
    there["hybrid"] = there["bm25"] and there["dense"]
    return tuple(system for system in SYSTEMS if there[system])


def check_systems(artifact: Artifact, systems: Sequence[str] | None) -> tuple[str, ...]:
    """Return the systems that were asked for, or all there are.

    Raises:
        ConfigError: one is unknown, or not in this index.
    """
    available = available_systems(artifact)
    if not systems:
        return available
    missing = [system for system in systems if system not in available]
    if missing:
        raise ConfigError(f"systems: got {missing}, but {artifact.path} offers {list(available)}")
    return tuple(systems)


def open_corpus(artifact: Artifact, path: Path | None) -> Corpus:
    """Open the corpus that an index was built from.

    Raises:
        ArtifactError: the corpus at ``path`` is another one.
    """
    if path is None:
        return Corpus(artifact.parent("corpus"))
    corpus = Corpus.open(path)
    expected = artifact.parent_hash("corpus")
    if corpus.artifact.content_hash != expected:
        raise ArtifactError(
            f"{artifact.path} was built from a corpus with content hash {expected}, but {path} "
            f"has {corpus.artifact.content_hash}; build the index again"
        )
    return corpus


def load_sparse(folder: Path, details: Mapping[str, Any]) -> SparseIndex:
    """Open what the sparse variant named in a manifest's details wrote.

    Raises:
        ArtifactError: there is no such variant, or its files are damaged.
        MissingDependencyError: what it needs is not here.
    """
    load = load_variant("index.sparse", str(details["variant"]), what="sparse", where=folder)
    sparse: SparseIndex = load(folder, details)
    return sparse


def check_encoder(artifact: Artifact, path: Path | None) -> Path:
    """Return the folder of the encoder that an index was built with.

    Args:
        artifact: an index with a dense part.
        path: where the encoder should be; None takes the recorded place.

    Raises:
        ArtifactError: another encoder is there, or none.
    """
    recorded = artifact.details["encoder"]
    noted = artifact.manifest["volatile"].get(ENCODER_PATH)
    if path is None and noted is None:
        raise ArtifactError(
            f"{artifact.path} does not say where its encoder is; encoder=FOLDER does"
        )
    place = artifact.path / noted if path is None else path
    found = open_artifact(place, kind="encoder")
    if found.content_hash != recorded["content_hash"]:
        raise ArtifactError(
            f"{artifact.path} was built with an encoder with content hash "
            f"{recorded['content_hash']}, but {place} has {found.content_hash}; "
            "give that encoder, or embed and build again"
        )
    return place


def training_note(encoder: Path) -> str:
    """Return what its training had to say for reports (too few pairs, say); empty if nothing."""
    training = open_artifact(encoder, kind="encoder").details.get("training", {})
    return str(training.get("note", ""))


def _open_encoder(artifact: Artifact, path: Path | None, device: str) -> "QuestionEncoder":
    place = check_encoder(artifact, path)
    # torch is loaded with it, which a BM25 search need not wait for
    from spider.encoders.loading import load_encoder

    return load_encoder(place, device=device)


def _check_dimension(artifact: Artifact, index: int, encoder: int) -> None:
    if index != encoder:
        raise ArtifactError(
            f"{artifact.path}: the index has dimension {index}, the encoder {encoder}; "
            "embed and build again"
        )
