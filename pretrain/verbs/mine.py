"""The verb ``mine``: corpus → recurring spans, held-out queries, yield report."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pretrain.spans.span_filters import SpanFilter
from spider.artifacts.artifact import open_artifact
from spider.artifacts.stage import Stage
from spider.launch.entrypoint import launch
from spider.questions.transforms.query_ranges import QueryTransform

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MineConfig:
    """Settings of ``mine``.

    Attributes:
        corpus: the corpus artifact.
        output: where the spans are written.
        span_filter: what may be a recurring span (span_filter=paper, span_filter=released).
        query_transform: how held-out queries are made of a passage's words.
        drop_last: leave each document's last passage out: auto does so where the corpus pads it.
        validation_share: share of the usable documents kept for validation.
        test_share: share of the usable documents kept for testing.
        clusters_per_document: at most so many held-out queries a document.
        heldout_documents: at most so many documents of a split get queries; all are kept from
            training.
        seed: decides the split and the held-out queries.
        shard_passages: passages a shard; an interrupted run loses the shard it was at.
        processes: worker processes.
        overwrite: replace spans made from other settings.
        resolved: filled by the launcher.
    """

    corpus: Path
    output: Path
    span_filter: SpanFilter
    query_transform: QueryTransform
    drop_last: Literal["auto", True, False] = "auto"
    validation_share: float = 0.1
    test_share: float = 0.2
    clusters_per_document: int = 40
    heldout_documents: int = 10_000
    seed: int = 0
    shard_passages: int = 20_000
    processes: int = 1
    overwrite: bool = False
    resolved: dict[str, Any] = field(default_factory=dict)


def main(config: MineConfig) -> None:
    """Mine a corpus, or find that its spans are up to date."""
    stage = Stage(
        verb="mine",
        kind="spans",
        output=config.output,
        config={k: v for k, v in config.resolved.items() if k != "processes"},
        inputs={"corpus": open_artifact(config.corpus, kind="corpus")},
        overwrite=config.overwrite,
    )
    if stage.up_to_date():
        return
    from pretrain.spans.mining import Mining
    from pretrain.spans.span_shards import SHARDS
    from pretrain.spans.yield_report import say_yield
    from spider.corpus.corpus import Corpus
    from spider.corpus.split import SplitRule

    mining = Mining(
        span_filter=config.span_filter,
        query_transform=config.query_transform,
        drop_last=config.drop_last,
        split=SplitRule(
            validation_share=config.validation_share,
            test_share=config.test_share,
            seed=config.seed,
        ),
        clusters_per_document=config.clusters_per_document,
        heldout_documents=config.heldout_documents,
    )
    with stage.writing() as folder:
        result = mining.run(
            Corpus.open(config.corpus),
            folder,
            shard_passages=config.shard_passages,
            processes=config.processes,
        )
        stage.finish(
            counts=result.counts,
            details=result.record,
            volatile={"words_per_second": result.words_per_second},
            leftovers=[SHARDS],
        )
    say_yield(result.found, words_per_second=result.words_per_second)
    if not result.found["clusters"]:
        logger.warning(
            "%s: no document has a recurring span (it takes three passages and a phrase of two "
            "words in two of them), so there is nothing to train on",
            config.corpus,
        )


if __name__ == "__main__":
    launch(main, verb="mine")
