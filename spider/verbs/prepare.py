"""Read documents, cut them into passages, and write a corpus."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import hash_json
from spider.artifacts.stage import Stage
from spider.corpus.splitting import WordSplitter
from spider.launch.entrypoint import launch
from spider.sources.document_source import DocumentSource, skipped_by
from spider.sources.preparation import SOURCES, Preparation
from spider.sources.source_state import fingerprint_of, without_place

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PrepareConfig:
    """Settings of ``spider prepare``.

    Attributes:
        source: where the documents come from; one of conf/source.
        splitter: how documents are cut into passages; one of conf/splitter.
        output: the corpus to write.
        overwrite: replace a corpus made from other settings or other files.
        resolved: filled by the launcher.
    """

    source: DocumentSource
    splitter: WordSplitter
    output: Path
    overwrite: bool = False
    resolved: dict[str, Any] = field(default_factory=dict)


def main(config: PrepareConfig) -> None:
    """Write the corpus unless it is up to date."""
    settings, place = without_place(config.resolved, "source")
    stage = Stage(
        verb="prepare",
        kind="corpus",
        output=config.output,
        config=settings,
        inputs={},
        overwrite=config.overwrite,
        fingerprint_extra={"place": place, "source": hash_json(fingerprint_of(config.source))},
    )
    if stage.up_to_date():
        return
    with stage.writing() as folder:
        preparation = Preparation(
            source=config.source,
            splitter=config.splitter,
            previous=stage.previous,
            config=stage.config,
        )
        counts = preparation.write(folder)
        skipped = skipped_by(config.source)
        stage.finish(
            counts=counts,
            details=preparation.record,
            volatile={
                "place": place,
                "skipped": skipped,
                "changes": dict(preparation.changes),
            },
            unhashed=[SOURCES],
        )
    logger.info(
        "prepared %d documents, %d passages, %d words in %s",
        *(counts[name] for name in ("documents", "passages", "words")),
        config.output,
    )
    for reason, entry in skipped.items():
        hint = f"; {entry['hint']}" if entry["hint"] else ""
        logger.warning(
            "skipped %d: %s (such as %s)%s", entry["count"], reason, entry["examples"][0], hint
        )


if __name__ == "__main__":
    launch(main, verb="prepare")
