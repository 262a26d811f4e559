"""Verb ``prepare``: documents → corpus."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from spider.artifacts.atomic_files import hash_json
from spider.artifacts.stage import Stage
from spider.corpus.splitting import WordSplitter
from spider.errors import ConfigError
from spider.launch.command_line import quote
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.launch.verbs import options
from spider.printable import counted
from spider.sources.document_source import DocumentSource
from spider.sources.formats.recognition import recognise
from spider.sources.preparation import SOURCES, Preparation
from spider.sources.reading_report import skipped_lines
from spider.sources.source_state import fingerprint_of, place_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PrepareSettings(StageSettings):
    """Settings of ``spider prepare``.

    Attributes:
        source: where the documents come from.
        splitter: how documents are cut into passages.
        keep_first: of the documents or passages with one id, keep the first and count the others;
            otherwise a second one is an error.
    """

    positionals: ClassVar = ("source.path",)

    source: DocumentSource
    splitter: WordSplitter
    keep_first: bool = False

    @staticmethod
    def implied(texts: Mapping[str, str]) -> list[str]:
        """Choose the source by the path, where none is typed.

        Raises:
            ConfigError: the path is a file whose format is not known.
        """
        if "source" in texts or "source.path" not in texts:
            return []
        path = Path(texts["source.path"]).expanduser()
        found = recognise(path)
        if found is None:
            if path.is_file():
                raise ConfigError(
                    f"{path}: neither its name nor its first line tells the format; "
                    f"source=NAME does: {', '.join(options('source'))}; a text or PDF is read with "
                    "its folder"
                )
            return []
        if found.source != "folder":
            logger.info("source=%s, since %s", found.source, found.reason)
        files = [f"source.path={quote(found.pattern)}"] if found.pattern else []
        return [f"source={found.source}", *files]


def main(settings: PrepareSettings) -> None:
    """Read documents, cut them into passages and write a corpus, unless it is up to date."""
    place = place_of(settings.source)
    stage = Stage(
        verb="prepare",
        kind="corpus",
        output=settings.output,
        config=settings.resolved,
        inputs={},
        overwrite=settings.overwrite,
        fingerprint_extra={"place": place, "source": hash_json(fingerprint_of(settings.source))},
    )
    if stage.up_to_date():
        return
    with stage.writing(resumes=False) as folder:
        preparation = Preparation(
            source=settings.source,
            splitter=settings.splitter,
            previous=stage.previous,
            config=stage.config,
            keep_first=settings.keep_first,
        )
        counts = preparation.write(folder)
        skipped = preparation.skipped
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
        "prepared %s, %s, %s in %s",
        *(counted(counts[f"{noun}s"], noun) for noun in ("document", "passage", "word")),
        settings.output,
    )
    for line in skipped_lines(skipped):
        logger.warning("%s", line)


if __name__ == "__main__":
    launch(main, verb="prepare")
