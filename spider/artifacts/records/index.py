"""The details of an ``index`` artifact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from spider.artifacts.record import DetailsRecord

WRITER = "build"


@dataclass(frozen=True, kw_only=True)
class EncoderReference(DetailsRecord):
    """The encoder that embedded an index's passages.

    Attributes:
        content_hash: the content hash of the encoder artifact.
        variant: the encoder's variant.
    """

    content_hash: str
    variant: str


@dataclass(frozen=True, kw_only=True)
class MatchRecord(DetailsRecord):
    """What held-out queries say about a match.

    Attributes:
        least_coverage: the share of a question's informative words that one of the best passages
            holds for 19 of 20 queries.
        queries: number of held-out queries.
        mismatched_below: the share of queries of random words that stay below it.
    """

    least_coverage: float
    queries: int
    mismatched_below: float


@dataclass(frozen=True, kw_only=True)
class IndexRecord(DetailsRecord):
    """The manifest's details of an index.

    Attributes:
        passages: number of passages in each part.
        encoder: the encoder that embedded them; null without a dense part.
        dense: the dense part's variant and what its ``load`` reads; null without one.
        sparse: the sparse part's variant and what its ``load`` reads; null without one.
        fusion: the fusion's variant and settings; null without one.
        match: how a question without a match is told; null without enough held-out queries.
        question_words: whether BM25 searches the words that make a sentence a question ("how do
            I"): ``keep``, or ``drop``; null in indexes of earlier versions, which keep them.
    """

    KIND: ClassVar[str] = "index"
    PAYLOAD: ClassVar[tuple[str, ...]] = ("*.json", "coverage-*.npy", "dense/**", "sparse/**")

    passages: int
    encoder: EncoderReference | None
    dense: Mapping[str, Any] | None
    sparse: Mapping[str, Any] | None
    fusion: Mapping[str, Any] | None
    match: MatchRecord | None = None
    question_words: Literal["keep", "drop"] | None = None
