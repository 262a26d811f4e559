"""Recurring spans on disk: clusters of occurrences, by document.

A cluster is one span of one document: its occurrences, each a code-point range of a passage.
Negatives are not stored: they are the document's candidate passages outside the cluster.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, Int64, UInt8

from spider.artifacts.array_stream import ArrayStream, open_array
from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.generation import steady
from spider.corpus.split import TRAIN, DocumentSplit
from spider.errors import ArtifactError
from spider.question import QuestionSet, load_question_set

HELDOUT = "heldout"


class Occurrences(NamedTuple):
    """Occurrences of a span: passage positions in the corpus, code points in the passage's text.

    In order of passage, then start; a passage may occur several times.
    """

    positions: Int64[np.ndarray, " occurrences"]
    starts: Int32[np.ndarray, " occurrences"]
    ends: Int32[np.ndarray, " occurrences"]


class Clusters(NamedTuple):
    """The clusters of one document.

    Attributes:
        words: span length in words.
        sizes: number of occurrences of each cluster, at least two.
        occurrences: those of the first cluster, then those of the second, and so on.
    """

    words: UInt8[np.ndarray, " clusters"]
    sizes: Int64[np.ndarray, " clusters"]
    occurrences: Occurrences


class SpanStore:
    """Reads a spans folder; its arrays are memory-mapped.

    Attributes:
        path: the folder.
        documents: each cluster's document number; ascending.
        words: each cluster's span length in words.
        offsets: cluster ``i`` has the occurrences ``offsets[i]`` up to ``offsets[i + 1]``.
        positions: each occurrence's passage position in the corpus.
        starts: its first code point in the passage's text.
        ends: the code point after the last.
        candidate_bounds: the first candidate position of each document, and the one after the last.
        split: each document's part: training, validation, test, or not usable.
    """

    documents: Int32[np.ndarray, " clusters"]
    words: UInt8[np.ndarray, " clusters"]
    offsets: Int64[np.ndarray, " clusters_and_one"]
    positions: Int64[np.ndarray, " occurrences"]
    starts: Int32[np.ndarray, " occurrences"]
    ends: Int32[np.ndarray, " occurrences"]
    candidate_bounds: Int64[np.ndarray, "documents 2"]
    split: DocumentSplit

    def __init__(self, path: Path, artifact: Artifact | None = None):
        self.path = path
        self._artifact = artifact
        self.split = DocumentSplit.load(path)
        for name in _PARTS:
            setattr(self, name, open_array(path / f"{name}.npy", *_PARTS[name]))
        if (
            len(self.offsets) != len(self.documents) + 1
            or len(self.split.parts) != len(self.candidate_bounds)
            or not len(self.positions) == len(self.starts) == len(self.ends) == self.offsets[-1]
        ):
            raise ArtifactError(f"{path}: the span store's arrays differ in length; mine again")
        if artifact is not None:
            artifact.require_current()

    @classmethod
    def open(cls, path: Path) -> "SpanStore":
        """Open the artifact.

        Raises:
            ArtifactError: it is missing, unfinished or damaged.
        """
        return steady(path, lambda: cls(path, open_artifact(path, kind="spans")))

    @property
    def artifact(self) -> Artifact:
        """The artifact, if the store was opened as one.

        Raises:
            ArtifactError: the folder was opened without its manifest.
        """
        if self._artifact is None:
            raise ArtifactError(f"{self.path}: the span store was opened without its manifest")
        return self._artifact

    def __len__(self) -> int:
        return len(self.documents)

    def occurrences(self, cluster: int) -> Occurrences:
        """Return the occurrences of a cluster's span."""
        start, end = int(self.offsets[cluster]), int(self.offsets[cluster + 1])
        return Occurrences(self.positions[start:end], self.starts[start:end], self.ends[start:end])

    def candidates(self, document: int) -> range:
        """Return the positions that may be query, positive or negative of a document.

        These are all of its passages. The last is left out where the corpus repeats the document's
        start in it (``last_passage_padded``). A cluster's negatives are these without its own
        passages.
        """
        start, end = self.candidate_bounds[document]
        return range(int(start), int(end))

    def clusters_of(self, document: int) -> range:
        """Return the clusters of a document."""
        # the array's own type: with another one, searchsorted would copy the array
        borders = np.array([document, document + 1], dtype=self.documents.dtype)
        start, end = np.searchsorted(self.documents, borders)
        return range(int(start), int(end))

    def train_clusters(self) -> Int64[np.ndarray, " train_clusters"]:
        """Return the clusters of training documents; none belongs to a held-out document."""
        return np.flatnonzero(self.split.parts[self.documents] == TRAIN).astype(np.int64)

    def heldout(self, name: str) -> QuestionSet:
        """Read the held-out queries of ``validation`` or ``test``.

        Raises:
            ArtifactError: the artifact was replaced since it was opened.
            DataError: the artifact has no such queries.
        """
        queries = load_question_set(self.path / HELDOUT / name)
        if self._artifact is not None:
            self._artifact.require_current()
        return queries


_PARTS = {
    "documents": (np.int32, ()),
    "words": (np.uint8, ()),
    "offsets": (np.int64, ()),
    "positions": (np.int64, ()),
    "starts": (np.int32, ()),
    "ends": (np.int32, ()),
    "candidate_bounds": (np.int64, (2,)),
}


class SpanStoreWriter:
    """Appends documents' clusters to a folder, with a small buffer in memory.

    Also writes shards: a shard is a store without ``split``, whose offsets begin at 0 and whose
    document numbers are the corpus's.

    Args:
        folder: an existing folder, whose files of the same names are replaced.
    """

    def __init__(self, folder: Path):
        self._streams = {
            name: ArrayStream(folder / f"{name}.npy", np.dtype(dtype), shape)
            for name, (dtype, shape) in _PARTS.items()
        }
        self._streams["offsets"].append(0)
        self._occurrences = 0

    def add(self, document: int, candidates: range, clusters: Clusters | None) -> None:
        """Append a document; every document has to be appended, in the corpus's order."""
        self._streams["candidate_bounds"].append((candidates.start, candidates.stop))
        if clusters is None or not len(clusters.words):
            return
        self._streams["documents"].extend(np.full(len(clusters.words), document, dtype=np.int32))
        self._streams["words"].extend(clusters.words)
        self._add_occurrences(clusters.sizes, clusters.occurrences)

    def add_shard(self, folder: Path) -> None:
        """Append the store of another writer."""
        parts = {name: open_array(folder / f"{name}.npy") for name in _PARTS}
        self._streams["candidate_bounds"].extend(parts["candidate_bounds"])
        self._streams["documents"].extend(parts["documents"])
        self._streams["words"].extend(parts["words"])
        self._add_occurrences(
            np.diff(parts["offsets"]),
            Occurrences(parts["positions"], parts["starts"], parts["ends"]),
        )

    def close(self) -> None:
        """Complete the files."""
        for stream in self._streams.values():
            stream.close()

    def _add_occurrences(
        self, sizes: Int64[np.ndarray, " clusters"], occurrences: Occurrences
    ) -> None:
        self._streams["offsets"].extend(self._occurrences + np.cumsum(sizes))
        self._occurrences += int(sizes.sum())
        self._streams["positions"].extend(occurrences.positions)
        self._streams["starts"].extend(occurrences.starts)
        self._streams["ends"].extend(occurrences.ends)
