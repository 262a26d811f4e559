"""The embeddings artifact: a float16 vector of each passage, in corpus order, shard by shard.

Each shard holds ``vectors.npy`` and ``passage_hashes.npy``. The hashes let a later run reuse the
vectors of passages that did not change, whatever their new positions are.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float16, Float32, Int64, Integer, UInt8, UInt64

from spider.artifacts.array_stream import open_array
from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.atomic_files import save_array
from spider.artifacts.folder.generation import steady
from spider.artifacts.records.embeddings import EmbeddingsRecord
from spider.artifacts.shards import shard_folder
from spider.errors import ArtifactError, DataError
from spider.machine.row_threads import in_threads
from spider.printable import counted

VECTORS = "vectors.npy"
HASHES = "passage_hashes.npy"
HASH_BYTES = 16
ROWS_PER_TASK = 256


class Embeddings:
    """Passage vectors on disk, memory-mapped.

    Attributes:
        artifact: its manifest and parents ("corpus", "encoder").
        dimension: length of a vector.
    """

    def __init__(self, artifact: Artifact):
        self.artifact = artifact
        record = EmbeddingsRecord.from_manifest(artifact)
        self.dimension = record.dimension
        self._shard_size = record.shard_size
        self._passages = record.passages
        shards = -(-self._passages // self._shard_size)
        self._vectors = [self._open(number, VECTORS) for number in range(shards)]
        rows = sum(len(block) for block in self._vectors)
        if rows != self._passages:
            raise ArtifactError(
                f"{artifact.path}: {counted(rows, 'vector')}, the manifest says {self._passages}; "
                "make the embeddings again"
            )
        artifact.require_current()

    @classmethod
    def open(cls, path: Path) -> "Embeddings":
        """Open an artifact of kind "embeddings".

        Raises:
            ArtifactError: it is missing, unfinished, or its shards disagree with its manifest.
        """
        return steady(path, lambda: cls(open_artifact(path, kind="embeddings")))

    def __len__(self) -> int:
        return self._passages

    def blocks(self) -> Iterator[tuple[int, Float16[np.ndarray, "passages dimension"]]]:
        """Yield the first position and the vectors of each shard, in corpus order."""
        start = 0
        for block in self._vectors:
            yield start, block
            start += len(block)

    def take(
        self, positions: Sequence[int] | range | Integer[np.ndarray, " taken"]
    ) -> Float32[np.ndarray, "taken dimension"]:
        """Return the vectors at some positions.

        Raises:
            IndexError: a position is outside the corpus.
        """
        wanted = np.asarray(positions, dtype=np.int64)
        if wanted.size and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise IndexError(
                f"positions go from 0 to {len(self) - 1}, got {wanted.min()} to {wanted.max()}"
            )
        result = np.empty((len(wanted), self.dimension), dtype=np.float32)
        shards = wanted // self._shard_size
        for shard in np.unique(shards):
            rows = np.flatnonzero(shards == shard)
            result[rows] = self._vectors[shard][wanted[rows] - shard * self._shard_size]
        return result

    def passage_hashes(self) -> UInt8[np.ndarray, "passages 16"]:
        """Return the hash of each passage that was encoded."""
        if not self._vectors:
            return np.zeros((0, HASH_BYTES), dtype=np.uint8)
        hashes = np.concatenate([self._open(n, HASHES) for n in range(len(self._vectors))])
        self.artifact.require_current()
        if len(hashes) != self._passages:
            raise ArtifactError(
                f"{self.artifact.path}: {len(hashes)} hashes of passages, the manifest says "
                f"{self._passages}; make the embeddings again"
            )
        return hashes

    def _open(self, number: int, name: str) -> np.ndarray:
        dtype, width = (np.float16, self.dimension) if name == VECTORS else (np.uint8, HASH_BYTES)
        return open_array(shard_folder(self.artifact.path, number) / name, dtype, (width,))


def save_shard(
    folder: Path,
    vectors: Float16[np.ndarray, "passages dimension"],
    hashes: UInt8[np.ndarray, "passages 16"],
) -> None:
    """Write the files of one shard."""
    save_array(folder / VECTORS, vectors)
    save_array(folder / HASHES, hashes)


def to_float16(
    vectors: Float32[np.ndarray, "passages dimension"], name: Callable[[int], str]
) -> Float16[np.ndarray, "passages dimension"]:
    """Round vectors for storage.

    Args:
        vectors: the vectors of some passages.
        name: returns the id of the passage of a row, for the message.

    Raises:
        DataError: a number is not finite, or too large for float16.
    """
    rounded: np.ndarray = np.empty(vectors.shape, np.float16)
    finite: np.ndarray = np.empty(len(vectors), bool)

    def work(first: int, last: int) -> None:
        with np.errstate(over="ignore"):
            rounded[first:last] = vectors[first:last]
        finite[first:last] = np.isfinite(rounded[first:last]).all(axis=1)

    in_threads(len(vectors), work, at_least=ROWS_PER_TASK)
    if finite.all():
        return rounded
    row = int(np.argmin(finite))
    cause = (
        "has a number beyond float16's 65,504"
        if np.isfinite(vectors[row]).all()
        else "is not finite; the encoder's training has diverged: train again with a lower rate"
    )
    count = int((~finite).sum())
    raise DataError(f"the vector of passage {name(row)} {cause} ({count} such in this shard)")


class KnownVectors:
    """Vectors of an older embeddings artifact, found by passage hash.

    Args:
        older: made with the same encoder.
    """

    def __init__(self, older: Embeddings):
        self._older = older
        self._hashes = older.passage_hashes()
        keys = _keys(self._hashes)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def find(
        self, hashes: UInt8[np.ndarray, "passages 16"]
    ) -> tuple[Bool[np.ndarray, " passages"], Int64[np.ndarray, " passages"]]:
        """Return which passages have a vector in the older artifact, and its positions there."""
        if not len(self._keys):
            return np.zeros(len(hashes), dtype=bool), np.zeros(len(hashes), dtype=np.int64)
        places = np.searchsorted(self._keys, _keys(hashes))
        positions = self._order[np.minimum(places, len(self._keys) - 1)]
        return (self._hashes[positions] == hashes).all(axis=1), positions

    def take(
        self, positions: Int64[np.ndarray, " taken"]
    ) -> Float32[np.ndarray, "taken dimension"]:
        """Return vectors of the older artifact; rounding them to float16 changes nothing."""
        return self._older.take(positions)


def _keys(hashes: UInt8[np.ndarray, "passages 16"]) -> UInt64[np.ndarray, " passages"]:
    """Return the first half of each hash as a search key; whole hashes are compared later."""
    return np.ascontiguousarray(hashes).view(np.uint64)[:, 0]
