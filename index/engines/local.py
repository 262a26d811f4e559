"""The local engine: a dense and a sparse index in one folder, searched in this process."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from index.dense.contract import load_dense
from index.engines.contract import HYBRID, Ranker
from index.engines.dense_ranker import DenseRanker
from index.engines.hybrid import HybridRetriever
from index.engines.question_words import KEEP, QuestionWords, SubjectRanker
from index.fusion.contract import Fusion, load_fusion
from index.sparse.contract import load_sparse
from spider.artifacts.artifact import Artifact
from spider.artifacts.records.index import IndexRecord
from spider.errors import ConfigError
from spider.interfaces import QuestionEncoder

VARIANT = "local"
DENSE = "dense"
SPARSE = "sparse"
BM25 = "bm25"
"""The name of the sparse part's ranking; the dense part's ranking has the name of its folder."""


class Local:
    """An index of the local engine on disk.

    Args:
        artifact: the index.
    """

    def __init__(self, artifact: Artifact):
        self._path = artifact.path
        self._record = IndexRecord.from_manifest(artifact)

    @property
    def systems(self) -> tuple[str, ...]:
        """The rankings that it offers: bm25 and dense, each if it was built, then the fusion."""
        parts = tuple(
            name
            for name, details in ((BM25, self._record.sparse), (DENSE, self._record.dense))
            if details
        )
        return (*parts, HYBRID) if self._record.fusion else parts

    def needs_encoder(self, systems: Sequence[str]) -> bool:
        """Return whether one of these systems searches with question vectors."""
        return bool({DENSE, HYBRID} & set(systems))

    def open(
        self,
        *,
        systems: Sequence[str],
        encoder: QuestionEncoder | None = None,
        fusion: Fusion | None = None,
    ) -> HybridRetriever:
        """Open the parts of some systems; see :class:`index.engines.contract.StoredIndex`."""
        if HYBRID not in systems:
            fusion = None
        elif fusion is None and self._record.fusion is not None:
            fusion = load_fusion(self._record.fusion)
        wanted = {*systems, *(fusion.depths if fusion is not None else ())} - {HYBRID}
        if unknown := sorted(wanted - set(self.systems)):
            raise ConfigError(f"rankings {unknown}: {self._path} offers {list(self.systems)}")
        rankers = open_rankers(
            self._path,
            dense=self._record.dense if DENSE in wanted else None,
            sparse=self._record.sparse if BM25 in wanted else None,
            encoder=encoder,
            question_words=self._record.question_words or KEEP,
        )
        return HybridRetriever(rankers=rankers, fusion=fusion)


def load(artifact: Artifact) -> Local:
    """Return the index that a manifest describes; opens no file."""
    return Local(artifact)


def open_rankers(
    folder: Path,
    *,
    dense: Mapping[str, Any] | None,
    sparse: Mapping[str, Any] | None,
    encoder: QuestionEncoder | None,
    question_words: QuestionWords = KEEP,
) -> dict[str, Ranker]:
    """Open the parts of an index by the names of their rankings, in the order of reports.

    Args:
        folder: holds the parts.
        dense: details of the dense part; None leaves it closed.
        sparse: details of the sparse part; None leaves it closed.
        encoder: encodes questions for the dense part.
        question_words: whether the sparse part searches the question words.

    Raises:
        ArtifactError: a part is damaged, or the encoder does not fit.
        ConfigError: the dense part is opened without an encoder.
        MissingDependencyError: a library, or a JVM, is missing.
    """
    rankers: dict[str, Ranker] = {}
    # the dense part first: it holds no thread and no JVM that would have to be closed on an error
    if dense is not None:
        if encoder is None:
            raise ConfigError(f"{folder}: dense search needs the encoder of the passages")
        rankers[DENSE] = DenseRanker(load_dense(folder / DENSE, dense), encoder)
    if sparse is not None:
        words = load_sparse(folder / SPARSE, sparse)
        ranker = words if question_words == KEEP else SubjectRanker(words)
        rankers = {BM25: ranker, **rankers}
    return rankers
