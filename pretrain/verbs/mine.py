"""Verb ``mine``: corpus → recurring spans, held-out queries, yield report."""

import logging
from dataclasses import dataclass
from pathlib import Path

from pretrain.spans.settings import MiningSettings
from spider.artifacts.stage import Stage
from spider.console import say_json
from spider.errors import ArtifactError
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.reading import read_json_object
from spider.settings import Execution

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MineSettings(MiningSettings, StageSettings):
    """Settings of ``spider mine``.

    Attributes:
        corpus: the corpus artifact.
        json: print the yield as one JSON object on one line.
    """

    corpus: Execution[Path]
    json: Execution[bool] = False


def main(settings: MineSettings) -> None:
    """Mine a corpus, unless its spans are up to date."""
    from spider.corpus.corpus import Corpus

    corpus = Corpus.open(settings.corpus)
    stage = Stage(
        verb="mine",
        kind="spans",
        output=settings.output,
        config=settings.resolved,
        inputs={"corpus": corpus.artifact},
        overwrite=settings.overwrite,
    )
    if stage.up_to_date():
        if settings.json:
            say_json(read_json_object(settings.output / "yield.json", error=ArtifactError))
        return

    from pretrain.spans.mining import Mining
    from pretrain.spans.span_shards import SHARDS
    from pretrain.spans.yield_report import say_yield

    with stage.writing() as folder:
        result = Mining(settings).run(corpus, folder)
        stage.finish(
            counts=result.counts,
            details=result.record,
            volatile={"words_per_second": result.words_per_second},
            leftovers=[SHARDS],
        )
    if settings.json:
        say_json(result.found)
    else:
        say_yield(result.found, words_per_second=result.words_per_second)
    if not result.found["clusters"]:
        logger.info(
            "%s: no document has a recurring span (that needs three passages, and a phrase of two "
            "words in two of them), so there is nothing to train on; search uses BM25 alone",
            settings.corpus,
        )


if __name__ == "__main__":
    launch(main, verb="mine")
