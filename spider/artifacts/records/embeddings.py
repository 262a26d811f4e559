"""The details of an ``embeddings`` artifact."""

from dataclasses import dataclass
from typing import ClassVar

from spider.artifacts.record import DetailsRecord

WRITER = "embed"


@dataclass(frozen=True, kw_only=True)
class EmbeddingsRecord(DetailsRecord):
    """The manifest's details of embeddings.

    Attributes:
        dimension: length of a vector.
        similarity: the encoder's.
        score_scale: the encoder's.
        dtype: type of the stored numbers.
        passages: number of vectors.
        shard_size: passages in each shard but the last.
        precision: of a transformer's matrix products, where it was chosen or given.
    """

    KIND: ClassVar[str] = "embeddings"
    PAYLOAD: ClassVar[tuple[str, ...]] = ("shard-*/*",)

    dimension: int
    similarity: str
    score_scale: str
    dtype: str
    passages: int
    shard_size: int
    precision: str | None = None
