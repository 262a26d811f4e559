"""Writes a span store, document by document or shard by shard."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from spider.artifacts.array_stream import ArrayStream, open_array
from spider.spans.clusters import ARRAYS, Clusters, Occurrences


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
            for name, (dtype, shape) in ARRAYS.items()
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

    def add_shard(
        self, folder: Path, first: int = 0, replaced: Mapping[int, Clusters] | None = None
    ) -> None:
        """Append the store of another writer.

        Args:
            folder: the shard.
            first: the number of its first document.
            replaced: documents whose clusters are replaced by others.
        """
        parts = {name: open_array(folder / f"{name}.npy") for name in ARRAYS}
        bounds = parts["candidate_bounds"]
        if replaced and any(first <= number < first + len(bounds) for number in replaced):
            for place, (start, end) in enumerate(bounds.tolist()):
                number = first + place
                kept = number not in replaced
                clusters = _clusters_of(parts, number) if kept else replaced[number]
                self.add(number, range(start, end), clusters)
            return
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


def _clusters_of(parts: Mapping[str, np.ndarray], document: int) -> Clusters:
    begin, end = np.searchsorted(parts["documents"], [document, document + 1])
    offsets = parts["offsets"][begin : end + 1]
    rows = slice(int(offsets[0]), int(offsets[-1]))
    occurrences = Occurrences(parts["positions"][rows], parts["starts"][rows], parts["ends"][rows])
    return Clusters(parts["words"][begin:end], np.diff(offsets), occurrences)
