"""The contract of a sparse engine: settings that build an index, and an open index."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from spider.artifacts.atomic_files import write_json
from spider.artifacts.variants import load_variant, variant_of
from spider.errors import ArtifactError, SettingError
from spider.progress import Progress
from spider.ranking import Hits
from spider.reading import read_json_object

BLOCK = 1_000
MADE_WITH = "made_with.json"


class Needs(NamedTuple):
    """Bytes that building an index takes; searching it takes no more memory."""

    disk: int
    memory: int


@runtime_checkable
class PassageTexts(Protocol):
    """The part of a corpus that sparse indexing reads."""

    def __len__(self) -> int:
        """Count the passages."""

    def titles(self, positions: range) -> list[str]:
        """Return the document titles of passages."""

    def texts(self, positions: range) -> list[str]:
        """Return the texts of passages."""


@runtime_checkable
class SparseIndex(Protocol):
    """An open index. Threads may share it."""

    @property
    def cut_questions(self) -> int:
        """Number of questions so far that had more terms than are searched."""

    def __len__(self) -> int:
        """Count the passages."""

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        """Return at most ``depth`` passages for each question, best first.

        The hits have no more columns than there are passages.
        """

    def close(self) -> None:
        """Release files and memory."""


@runtime_checkable
class SparseEngine(Protocol):
    """The settings of an engine."""

    @property
    def variant(self) -> str:
        """The module of ``index/sparse`` that loads what ``build`` wrote."""

    def needs(self, text_bytes: int) -> Needs:
        """Estimate what building an index takes.

        Args:
            text_bytes: size of the corpus's text in UTF-8.
        """

    def build(
        self, corpus: PassageTexts, folder: Path, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Index a corpus into a folder and return the details that ``load`` needs.

        Facts that may differ between equal builds go to :func:`save_made_with` instead.
        """


def load_sparse(folder: Path, details: Mapping[str, Any]) -> SparseIndex:
    """Open the index that the details in a manifest describe.

    Raises:
        ArtifactError: there is no such variant, or its files are damaged.
        MissingDependencyError: a library, or a JVM, is missing.
    """
    load = load_variant(
        "index.sparse", variant_of(details, where=folder), what="sparse", where=folder
    )
    sparse: SparseIndex = load(folder, details)
    return sparse


def save_made_with(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the facts of an index's making into its folder; no content hash covers them.

    Args:
        folder: the index.
        facts: versions of libraries, execution settings, and facts that depend on these.
    """
    write_json(folder / MADE_WITH, dict(facts))


def load_made_with(folder: Path) -> dict[str, Any]:
    """Return what :func:`save_made_with` wrote; empty if it wrote nothing."""
    file = folder / MADE_WITH
    return read_json_object(file, error=ArtifactError) if file.is_file() else {}


def indexed_text(title: str, text: str) -> str:
    r"""Return the text that BM25 indexes: ``title + "\n" + text`` without lone surrogates."""
    whole = f"{title}\n{text}"
    return whole if whole.isascii() else whole.encode("utf-8", "ignore").decode("utf-8")


def indexed_blocks(corpus: PassageTexts) -> Iterator[tuple[int, list[str]]]:
    """Yield the first position and the indexed texts of each block of a thousand passages."""
    for first in range(0, len(corpus), BLOCK):
        positions = range(first, min(first + BLOCK, len(corpus)))
        pairs = zip(corpus.titles(positions), corpus.texts(positions), strict=True)
        yield first, [indexed_text(title, text) for title, text in pairs]


def check_bm25(k1: float, b: float) -> None:
    """Raise SettingError unless BM25 is defined for these parameters."""
    if k1 < 0:
        raise SettingError("k1", k1, "0 or more")
    if not 0 <= b <= 1:
        raise SettingError("b", b, "0 to 1")
