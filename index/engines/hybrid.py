"""The hybrid retriever: dense and sparse search side by side, fused."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from index.dense.dense_index import DenseSearcher
from index.engines.exclusion import Excluded, most_excluded
from index.fusion.fusion import Fused, Fusion
from index.sparse.sparse_index import SparseIndex
from spider.errors import ConfigError
from spider.interfaces import QuestionEncoder
from spider.ranking import Hits, drop_excluded

SYSTEMS = ("bm25", "dense", "hybrid")


class Components(NamedTuple):
    """A fused ranking beside the two rankings that it was made of."""

    fused: Fused
    dense: Hits
    sparse: Hits


class HybridRetriever:
    """Searches a dense and a sparse index of one corpus.

    Either side may be missing; then only the other can be asked. The sparse engine works in a
    thread of its own while this one encodes and searches the vectors.

    Args:
        dense: the dense index.
        encoder: what the passages were embedded with; given exactly when ``dense`` is.
        sparse: the sparse index.
        fusion: how the two are joined.
    """

    def __init__(
        self,
        *,
        dense: DenseSearcher | None,
        encoder: QuestionEncoder | None,
        sparse: SparseIndex | None,
        fusion: Fusion | None,
    ):
        if (dense is None) != (encoder is None):
            raise ConfigError("a dense index and its encoder are opened together or not at all")
        if dense is None and sparse is None:
            raise ConfigError("this index has neither a dense nor a sparse part")
        self._dense = dense
        self._encoder = encoder
        self._sparse = sparse
        self.fusion = fusion
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sparse")

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that can be asked: some of bm25, dense, hybrid."""
        there = {"bm25": self._sparse is not None, "dense": self._dense is not None}
        there["hybrid"] = all(there.values()) and self.fusion is not None
        return tuple(name for name in SYSTEMS if there[name])

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        """Return at most ``depth`` passages for each question from the best system there is."""
        system = self.systems[-1]
        return self.rankings(questions, depth, systems=(system,))[system]

    def components(
        self, questions: Sequence[str], depth: int, excluded: Excluded | None = None
    ) -> Components:
        """Return the fused ranking and the two that it was made of, each to its own depth.

        Raises:
            ConfigError: one of the two retrievers or the fusion is missing.
        """
        fusion = self._need_fusion()
        rankings = self.search_both(questions, fusion.dense_depth, fusion.sparse_depth, excluded)
        return Components(fusion.fuse(*rankings, depth), *rankings)

    def rankings(
        self,
        questions: Sequence[str],
        depth: int,
        *,
        systems: Sequence[str],
        excluded: Excluded | None = None,
    ) -> dict[str, Hits]:
        """Return one ranking a system, to the same depth; each retriever is asked once.

        Args:
            questions: texts.
            depth: passages a question.
            systems: some of :attr:`systems`.
            excluded: positions that no list of a question may hold.

        Raises:
            ConfigError: a system is not among those that this index has.
        """
        unknown = [system for system in systems if system not in self.systems]
        if unknown or not systems:
            raise ConfigError(f"systems {list(systems)}: this index offers {list(self.systems)}")
        fusion = self._need_fusion() if "hybrid" in systems else None
        wanted = {
            side: max(depth if system in systems else 0, fused)
            for side, system, fused in (
                ("dense", "dense", 0 if fusion is None else fusion.dense_depth),
                ("sparse", "bm25", 0 if fusion is None else fusion.sparse_depth),
            )
        }
        dense, sparse = self.search_both(questions, wanted["dense"], wanted["sparse"], excluded)
        found = {"dense": _cut(dense, depth), "bm25": _cut(sparse, depth)}
        if fusion is not None:
            lists = _cut(dense, fusion.dense_depth), _cut(sparse, fusion.sparse_depth)
            found["hybrid"] = fusion.fuse(*lists, depth).hits
        return {system: found[system] for system in systems}

    def close(self) -> None:
        """Stop the thread and close the sparse index."""
        self._thread.shutdown()
        if self._sparse is not None:
            self._sparse.close()

    def _need_fusion(self) -> Fusion:
        if self.fusion is None or "hybrid" not in self.systems:
            raise ConfigError(f"no hybrid here: this index offers {list(self.systems)}")
        return self.fusion

    def search_both(
        self,
        questions: Sequence[str],
        dense_depth: int,
        sparse_depth: int,
        excluded: Excluded | None = None,
    ) -> tuple[Hits, Hits]:
        """Return the dense and the sparse ranking, each to its own depth; depth 0 skips one."""
        rows: Excluded = [()] * len(questions) if excluded is None else excluded
        more = most_excluded(rows)
        pending: Future[Hits] | None = None
        if sparse_depth and self._sparse is not None:
            texts = list(questions)
            pending = self._thread.submit(self._sparse.search, texts, sparse_depth + more)
        dense = sparse = _nothing(len(questions))
        try:
            if dense_depth and self._dense is not None and self._encoder is not None:
                vectors = self._encoder.encode_questions(list(questions))
                hits = self._dense.search(vectors, dense_depth + more)
                dense = drop_excluded(hits, rows, dense_depth)
        finally:
            # also after an error: the engine must not be closed under a search
            found = None if pending is None else pending.result()
        if found is not None:
            sparse = drop_excluded(found, rows, sparse_depth)
        return dense, sparse


def _cut(hits: Hits, depth: int) -> Hits:
    return Hits(hits.positions[:, :depth], hits.scores[:, :depth])


def _nothing(questions: int) -> Hits:
    return Hits(
        np.empty((questions, 0), dtype=np.int64), np.empty((questions, 0), dtype=np.float32)
    )
