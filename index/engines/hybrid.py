"""The hybrid retriever: several rankings by name, and their fusion."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from index.engines.contract import HYBRID, Ranker
from index.engines.exclusion import Excluded, most_excluded
from index.fusion.contract import Fused, Fusion
from spider.errors import ConfigError
from spider.ranking import NO_PASSAGE, Hits, drop_excluded


class HybridRetriever:
    """Searches the parts of one index, and fuses their rankings.

    The last ranker works in the calling thread, each of the others in its own thread: BM25 searches
    while the question is encoded.

    Args:
        rankers: the parts of the index by name, in the order of reports.
        fusion: joins their rankings; None offers the parts only.

    Raises:
        ConfigError: there is no ranker.
    """

    def __init__(self, *, rankers: Mapping[str, Ranker], fusion: Fusion | None = None):
        if not rankers:
            raise ConfigError("this index has no part that can be searched")
        self._rankers = dict(rankers)
        self._threads = {
            name: ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
            for name in list(rankers)[:-1]
        }
        self._closed = False
        # a depth of 10^9 would take gigabytes for padding
        self._passages = max(map(len, rankers.values()))
        self.fusion = fusion

    @property
    def systems(self) -> tuple[str, ...]:
        """The available rankings: each part, then the fusion if all of its parts are there."""
        fused = self.fusion is not None and set(self.fusion.depths) <= set(self._rankers)
        return (*self._rankers, HYBRID) if fused else tuple(self._rankers)

    @property
    def cut_questions(self) -> int:
        """Number of questions so far that had more terms than a part searches."""
        return sum(int(getattr(part, "cut_questions", 0)) for part in self._rankers.values())

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        """Return at most ``depth`` passages for each question from the recommended system."""
        return self.search_with_shares(questions, depth).hits

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
            system: one of :attr:`systems`; None takes the last.
            excluded: for each question, positions that its list may not hold.

        Raises:
            ConfigError: this index does not offer the system.
        """
        depth = min(depth, self._passages)
        name = self.systems[-1] if system is None else system
        if name == HYBRID:
            fusion = self._fusion_for([name])
            found = self.search_each(questions, fusion.depths, excluded)
            return fusion.fuse(found, depth)
        hits = self.rankings(questions, depth, systems=[name], excluded=excluded)[name]
        return Fused(hits, {name: (hits.positions != NO_PASSAGE).astype(np.float32)})

    def rankings(
        self,
        questions: Sequence[str],
        depth: int,
        *,
        systems: Sequence[str],
        excluded: Excluded | None = None,
    ) -> dict[str, Hits]:
        """Return one ranking for each system, to the same depth; each part is searched once.

        The hits have no more columns than there are passages.

        Args:
            questions: texts.
            depth: passages for each question.
            systems: some of :attr:`systems`.
            excluded: for each question, positions that no ranking may hold.

        Raises:
            ConfigError: this index does not offer one of the systems.
        """
        depth = min(depth, self._passages)
        fused = self._fusion_for(systems).depths if HYBRID in systems else {}
        self._check(systems)
        depths = {
            name: max(depth if name in systems else 0, fused.get(name, 0)) for name in self._rankers
        }
        found = self.search_each(questions, {n: d for n, d in depths.items() if d}, excluded)
        rankings = {name: _cut(hits, depth) for name, hits in found.items()}
        if fused:
            lists = {name: _cut(found[name], own) for name, own in fused.items()}
            rankings[HYBRID] = self._fusion_for(systems).fuse(lists, depth).hits
        return {system: rankings[system] for system in systems}

    def search_each(
        self,
        questions: Sequence[str],
        depths: Mapping[str, int],
        excluded: Excluded | None = None,
    ) -> dict[str, Hits]:
        """Return the ranking of each named part, each to its own depth.

        Raises:
            ValueError: the retriever is closed.
        """
        if self._closed:
            raise ValueError("search in an index that is closed")
        texts = list(questions)
        rows: Excluded = [()] * len(texts) if excluded is None else excluded
        more = most_excluded(rows)
        names = [name for name in self._rankers if name in depths]
        pending: dict[str, Future[Hits]] = {
            name: self._threads[name].submit(self._rankers[name].search, texts, depths[name] + more)
            for name in names[:-1]
        }
        found: dict[str, Hits] = {}
        try:
            for name in names[-1:]:
                found[name] = self._rankers[name].search(texts, depths[name] + more)
        finally:
            # also after an error: no part may be closed while it is being searched
            waited = {name: future.exception() for name, future in pending.items()}
        for name, error in waited.items():
            if error is not None:
                raise error
            found[name] = pending[name].result()
        return {name: drop_excluded(found[name], rows, depths[name]) for name in names}

    def close(self) -> None:
        """Stop the threads and close every part; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        for thread in self._threads.values():
            thread.shutdown()
        for ranker in self._rankers.values():
            ranker.close()

    def _check(self, systems: Sequence[str]) -> None:
        unknown = [system for system in systems if system not in self.systems]
        if unknown or not systems:
            raise ConfigError(f"systems {list(systems)}: this index offers {list(self.systems)}")

    def _fusion_for(self, systems: Sequence[str]) -> Fusion:
        self._check(systems)
        if self.fusion is None:
            raise ConfigError(f"systems {list(systems)}: this index has no fusion")
        return self.fusion


def _cut(hits: Hits, depth: int) -> Hits:
    return Hits(hits.positions[:, :depth], hits.scores[:, :depth])
