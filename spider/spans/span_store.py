"""Recurring spans on disk: clusters of occurrences, by document.

A cluster is one span of one document: its occurrences, each a code-point range of a passage.
Negatives are not stored: they are the document's candidate passages outside the cluster.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Int32, Int64, UInt8

from spider.artifacts.array_stream import open_array
from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.folder.generation import steady
from spider.corpus.split import SECTIONS, TRAIN, DocumentSplit
from spider.errors import ArtifactError
from spider.question import QuestionSet, load_question_set
from spider.spans.clusters import ARRAYS, Occurrences

HELDOUT = "heldout"
COPIED = "copied"
"""Queries of the validation documents that are copied from their text, as the paper's are."""


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
        for name in ARRAYS:
            setattr(self, name, open_array(path / f"{name}.npy", *ARRAYS[name]))
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
        """Return the clusters to train on; none has a passage that is held out."""
        return np.flatnonzero(self.cluster_parts() == TRAIN).astype(np.int64)

    def cluster_parts(
        self, first: int = 0, after: int | None = None
    ) -> UInt8[np.ndarray, " some_clusters"]:
        """Return the parts of the clusters ``first`` to ``after`` (exclusive).

        All occurrences of a cluster are in one part, also in a document split by sections.
        """
        parts: np.ndarray = self.split.parts[self.documents[first:after]]
        by_sections = np.flatnonzero(parts == SECTIONS)
        places = self.positions[self.offsets[first + by_sections]]
        parts[by_sections] = self.split.sections.parts_of(np.asarray(places, dtype=np.int64))
        return parts

    def training_candidates(self, document: int) -> Int64[np.ndarray, " candidates"]:
        """Return the candidates of a document that training may use, ascending."""
        candidates = self.candidates(document)
        own = np.arange(candidates.start, candidates.stop, dtype=np.int64)
        withheld = self.split.withheld(document)
        return np.setdiff1d(own, withheld, assume_unique=True) if len(withheld) else own

    def without_withheld(
        self, document: int, positions: Int64[np.ndarray, " _"]
    ) -> Int64[np.ndarray, " _"]:
        """Return the positions and those that training may not use of their document, ascending."""
        withheld = self.split.withheld(document)
        return np.union1d(positions, withheld) if len(withheld) else positions

    def copied(self) -> QuestionSet:
        """Read the validation queries that are copied from text, so a match holds their words.

        They are the ordinary ones where these are windows of text.
        """
        own = (self.path / HELDOUT / COPIED).is_dir()
        return self.heldout(COPIED if own else "validation")

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
