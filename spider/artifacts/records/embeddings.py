"""The details of an ``embeddings`` artifact."""

from dataclasses import dataclass
from typing import ClassVar

from spider.artifacts.record import DetailsRecord

WRITER = "embed"


@dataclass(frozen=True, kw_only=True)
class EmbeddingsRecord(DetailsRecord):
    """What the manifest says of embeddings.

    Attributes:
        dimension: length of a vector.
        similarity: the encoder's.
        score_scale: the encoder's.
        dtype: of the stored numbers.
        passages: how many vectors there are.
        shard_size: passages in each shard but the last.
    """

    KIND: ClassVar[str] = "embeddings"

    dimension: int
    similarity: str
    score_scale: str
    dtype: str
    passages: int
    shard_size: int
