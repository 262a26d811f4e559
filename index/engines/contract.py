"""The contract of a search engine: opening an index, and searching an open one."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from index.engines.exclusion import Excluded
from index.fusion.contract import Fused, Fusion
from spider.artifacts.artifact import Artifact
from spider.artifacts.variants import load_variant
from spider.errors import ArtifactError
from spider.interfaces import QuestionEncoder, Retriever, SearchEngine

FAMILY = "index.engines"
HYBRID = "hybrid"
"""The name of the fused ranking."""


@runtime_checkable
class Ranker(Retriever, Protocol):
    """One part of an index: ranks passages for questions. Threads may share it."""

    def __len__(self) -> int:
        """Count the passages."""

    def close(self) -> None:
        """Release files and memory."""


@runtime_checkable
class IndexEngine(SearchEngine, Protocol):
    """A search engine that also returns the part of each ranking in a score."""

    @property
    def cut_questions(self) -> int:
        """Number of questions so far that had more terms than are searched."""

    def search_with_shares(
        self,
        questions: Sequence[str],
        depth: int,
        *,
        system: str | None = None,
        excluded: Excluded | None = None,
    ) -> Fused:
        """Return one ranking, with the share of each part in its scores.

        Args:
            questions: texts.
            depth: passages for each question.
            system: one of ``systems``; None takes the last.
            excluded: for each question, positions that its list may not hold.

        Raises:
            ConfigError: the index does not offer the system.
        """


@runtime_checkable
class StoredIndex(Protocol):
    """An index on disk, before its files are opened."""

    @property
    def systems(self) -> tuple[str, ...]:
        """The rankings that it offers by name, the recommended one last."""

    def needs_encoder(self, systems: Sequence[str]) -> bool:
        """Return whether one of these systems searches with question vectors."""

    def open(
        self,
        *,
        systems: Sequence[str],
        encoder: QuestionEncoder | None = None,
        fusion: Fusion | None = None,
    ) -> IndexEngine:
        """Open the parts that some systems need.

        Args:
            systems: some of :attr:`systems`.
            encoder: encodes questions; required if :meth:`needs_encoder` returns true.
            fusion: used instead of the stored one.

        Raises:
            ArtifactError: a file is damaged, or the encoder does not fit.
            ConfigError: the fusion joins a ranking that the index does not have.
            MissingDependencyError: a library, or a JVM, is missing.
        """


def load_stored(artifact: Artifact) -> StoredIndex:
    """Return the index that a manifest describes, with the engine that it names.

    Raises:
        ArtifactError: this version has no such engine, or the index names none.
    """
    if not artifact.variant:
        raise ArtifactError(
            f"{artifact.path}: built by a version that did not record a search engine; "
            "build the index again"
        )
    load = load_variant(FAMILY, artifact.variant, what="search engine", where=artifact.path)
    stored: StoredIndex = load(artifact)
    return stored
