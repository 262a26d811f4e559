"""Opening an index artifact with its corpus and its encoder, each checked against the manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from index.engines.contract import IndexEngine, load_stored
from index.engines.ranked_passages import rank_passages
from index.fusion.contract import Fusion
from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.folder.generation import steady
from spider.artifacts.records.encoder import EncoderRecord
from spider.artifacts.records.index import IndexRecord
from spider.corpus.corpus import Corpus
from spider.encoders.loading import load_encoder
from spider.errors import ArtifactError, ConfigError
from spider.ranking import Hits, RankedPassage

ENCODER_PATH = "encoder_path"
"""The manifest's volatile entry for the path of the encoder, relative to the index."""


@dataclass(frozen=True, kw_only=True)
class OpenIndex:
    """An index that is open for search. Threads may share it; ``with`` closes it.

    Attributes:
        artifact: its manifest and parents.
        corpus: the passages, numbered by the positions of the index.
        engine: searches it.
    """

    artifact: Artifact
    corpus: Corpus
    engine: IndexEngine

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        """Return at most ``depth`` passages for each question from the recommended system."""
        return self.engine.search(questions, depth)

    def passages(
        self, questions: Sequence[str], depth: int, *, system: str | None = None
    ) -> list[list[RankedPassage]]:
        """Return at most ``depth`` passages for each question, with texts, scores and shares.

        Args:
            questions: texts.
            depth: passages for each question.
            system: one of ``engine.systems``; None takes the last, the recommended one.

        Raises:
            ConfigError: the index does not offer the system.
        """
        found = self.engine.search_with_shares(questions, depth, system=system)
        return rank_passages(self.corpus, found)

    def close(self) -> None:
        """Release threads and files; a second call does nothing."""
        self.engine.close()

    def __enter__(self) -> "OpenIndex":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


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
        systems: the rankings to search, so that nothing else is loaded; None takes all.
        fusion: used instead of the stored one.
        device: where a transformer runs.

    Raises:
        ArtifactError: an artifact is missing, or is not the one that the index was built with.
        ConfigError: the index does not offer one of the systems.
        MissingDependencyError: faiss, or a JVM, is missing.
    """

    def read() -> OpenIndex:
        artifact = open_artifact(path, kind="index")
        wanted = check_systems(artifact, systems)
        stored = load_stored(artifact)
        opened_corpus = open_corpus(artifact, corpus)
        question_encoder = None
        if stored.needs_encoder(wanted):
            place, content_hash = check_encoder(artifact, encoder)
            question_encoder = load_encoder(place, device=device, content_hash=content_hash)
        engine = stored.open(systems=wanted, encoder=question_encoder, fusion=fusion)
        return OpenIndex(artifact=artifact, corpus=opened_corpus, engine=engine)

    return steady(path, read, discard=OpenIndex.close)


def check_systems(artifact: Artifact, systems: Sequence[str] | None) -> tuple[str, ...]:
    """Return the requested systems, or all that an index offers; opens no part of it.

    Raises:
        ArtifactError: the index is of an engine that this version does not have.
        ConfigError: the index does not offer one of the systems.
    """
    available = load_stored(artifact).systems
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
    expected = artifact.parent_hash("corpus")
    if path is None:
        place = artifact.parent_path("corpus")
        return steady(place, lambda: Corpus(artifact.parent("corpus")))
    corpus = Corpus.open(path)
    if corpus.artifact.content_hash != expected:
        raise ArtifactError(
            f"{artifact.path} was built from a corpus with content hash {expected}, but {path} "
            f"has {corpus.artifact.content_hash}; build the index again"
        )
    return corpus


def check_encoder(artifact: Artifact, path: Path | None) -> tuple[Path, str]:
    """Return folder and content hash of the encoder that an index was built with.

    Args:
        artifact: an index with a dense part.
        path: folder of the encoder; None takes the recorded folder.

    Raises:
        ArtifactError: there is another encoder in it, or none.
    """
    recorded = IndexRecord.from_manifest(artifact).encoder
    if recorded is None:
        raise ArtifactError(f"{artifact.path} was built without an encoder; build it with one")
    noted = artifact.manifest["volatile"].get(ENCODER_PATH)
    if path is None and noted is None:
        raise ArtifactError(
            f"{artifact.path} does not record the folder of its encoder; give it as encoder=FOLDER"
        )
    place = artifact.path / noted if path is None else path
    found = open_artifact(place, kind="encoder")
    if found.content_hash != recorded.content_hash:
        raise ArtifactError(
            f"{artifact.path} was built with an encoder with content hash "
            f"{recorded.content_hash}, but {place} has {found.content_hash}; "
            "give that encoder, or embed and build again"
        )
    return place, found.content_hash


def training_note(encoder: Path) -> str:
    """Return the note of an encoder's training for reports (too few pairs, say); may be empty."""
    training = EncoderRecord.from_manifest(open_artifact(encoder)).training
    return (training and training.note) or ""
