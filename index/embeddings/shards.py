"""Encoding one shard of passages; each process loads the encoder once."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from index.embeddings.embeddings import Embeddings, KnownVectors, save_shard, to_float16
from spider.corpus.corpus import Corpus
from spider.encoders.encoding import EncodingSettings
from spider.encoders.loading import Encoder, WindowEncoder, load_encoder

ArtifactKey = tuple[Path, str]
"""Folder and content hash of an artifact."""


@dataclass(frozen=True, kw_only=True)
class ShardEncoder:
    """Encodes a range of passages; can be pickled, so a pool of processes can run it.

    Attributes:
        corpus: folder and content hash of the corpus artifact.
        encoder: folder and content hash of the encoder artifact.
        previous: folder and content hash of embeddings of the same encoder, whose vectors are
            reused; None if there are none.
        device: where a transformer runs.
        encoding: precision and batches of a transformer.
        batch: passages that are encoded together.
    """

    corpus: ArtifactKey
    encoder: ArtifactKey
    previous: ArtifactKey | None = None
    device: str = "cpu"
    encoding: EncodingSettings = field(default_factory=EncodingSettings)
    batch: int = 4096

    def __call__(self, task: tuple[int, int], folder: Path) -> dict[str, int]:
        """Encode passages ``task[0]`` to ``task[1]`` (exclusive)."""
        corpus = _corpus(self.corpus)
        encoder = _encoder(self.encoder, self.device, self.encoding)
        positions = np.arange(*task)
        hashes = np.array(corpus.passage_hashes[task[0] : task[1]])
        vectors = np.empty((len(positions), encoder.dimension), dtype=np.float32)
        missing = np.ones(len(positions), dtype=bool)
        if self.previous is not None:
            known = _known(self.previous)
            found, places = known.find(hashes)
            vectors[found] = known.take(places[found])
            missing = ~found
        rows = np.flatnonzero(missing)
        for start in range(0, len(rows), self.batch):
            some = rows[start : start + self.batch]
            where = positions[some].tolist()
            vectors[some] = encoder.encode_passages(corpus.titles(where), corpus.texts(where))
        rounded = to_float16(vectors, lambda row: corpus.passage_id(task[0] + row))
        save_shard(folder, rounded, hashes)
        # reused vectors are not counted here, so a shard has the same files with and without them
        counts = {"passages": len(positions)}
        if truncated := self._count_truncated(encoder, corpus, positions):
            counts["passages_truncated"] = truncated
        return counts

    def _count_truncated(
        self, encoder: object, corpus: Corpus, positions: Int64[np.ndarray, " passages"]
    ) -> int:
        if not isinstance(encoder, WindowEncoder):
            return 0
        blocks = [
            positions[at : at + self.batch].tolist() for at in range(0, len(positions), self.batch)
        ]
        return sum(encoder.count_truncated(corpus.titles(b), corpus.texts(b)) for b in blocks)

    def precision(self) -> str | None:
        """Return the precision in which the encoder computes here; None if it has no choice."""
        found = getattr(_encoder(self.encoder, self.device, self.encoding), "precision", None)
        return None if found is None else str(found).removeprefix("torch.")

    def count_reused(self) -> int:
        """Count the passages of the corpus whose vectors were reused, by any run so far."""
        if self.previous is None:
            return 0
        hashes, known = _corpus(self.corpus).passage_hashes, _known(self.previous)
        blocks = (hashes[at : at + self.batch] for at in range(0, len(hashes), self.batch))
        return sum(int(known.find(np.array(block))[0].sum()) for block in blocks)


# the content hash is part of the key: a folder may hold another artifact the next time
@lru_cache(maxsize=1)
def _corpus(source: ArtifactKey) -> Corpus:
    return Corpus.open(*source)


@lru_cache(maxsize=1)
def _encoder(source: ArtifactKey, device: str, encoding: EncodingSettings) -> Encoder:
    return load_encoder(source[0], device=device, encoding=encoding, content_hash=source[1])


@lru_cache(maxsize=1)
def _known(source: ArtifactKey) -> KnownVectors:
    older = Embeddings.open(source[0])
    older.artifact.require_content(source[1], "these are other embeddings now")
    return KnownVectors(older)


def forget() -> None:
    """Release the artifacts that this process has loaded."""
    for loaded in (_corpus, _encoder, _known):
        loaded.cache_clear()
