"""Settings of mining, which decide the recurring spans, the split and the held-out queries."""

from dataclasses import dataclass, field
from typing import Literal

from pretrain.spans.span_filters import SpanFilter
from spider.corpus.split import SplitRule
from spider.errors import SettingError
from spider.questions.transforms.passage_query import HeldoutTransform
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class MiningSettings:
    """Settings of mining.

    Attributes:
        span_filter: which word sequences may be recurring spans.
        query_transform: how held-out queries are made of a passage or a document.
        drop_last: leave each document's last passage out; auto does this where the corpus pads it
            with the document's beginning (psgs_w100).
        split: which documents are kept for validation and for testing; its seed also decides the
            held-out queries.
        clusters_per_document: the largest number of held-out queries for each document.
        heldout_documents: the largest number of documents of a part that get queries; no document
            of a part is used in training.
        shard_passages: passages in a shard; an interrupted run loses only its unfinished shards.
        processes: worker processes.
    """

    span_filter: SpanFilter
    query_transform: HeldoutTransform
    drop_last: Literal["auto", True, False] = "auto"
    split: SplitRule = field(default_factory=SplitRule)
    clusters_per_document: int = 40
    heldout_documents: int = 10_000
    shard_passages: int = 20_000
    processes: Execution[int] = 1

    def __post_init__(self) -> None:
        """Refuse values out of range before hours of mining."""
        for name in ("clusters_per_document", "heldout_documents", "shard_passages", "processes"):
            if getattr(self, name) < 1:
                raise SettingError(name, getattr(self, name), "at least 1")
