"""Verb ``choose-encoder``: corpus and spans → the encoder that the next stages make."""

import logging
from dataclasses import dataclass
from pathlib import Path

from pretrain.choice.decision import Folder, decide
from pretrain.choice.measured import measured_before
from spider.artifacts.artifact import open_artifact
from spider.artifacts.atomic_files import write_json
from spider.artifacts.chain import find_input
from spider.artifacts.records.choice import CHOICE
from spider.artifacts.stage import Stage
from spider.encoders.start.names import AUTO, check_start_name
from spider.encoders.start.wheel import installed_name
from spider.encoders.start_files import fingerprint_start_files
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.settings import Execution
from spider.training.settings import check_minutes

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ChooseEncoderSettings(StageSettings):
    """Settings of ``spider choose-encoder``.

    Attributes:
        start: auto takes the encoder of the extra ``pretrained`` where that is installed, else
            trains one from scratch; static trains one from scratch; or a transformer's folder or
            name.
        minutes: the longest time for embedding with the transformer; a corpus that takes longer
            gets its student. null takes 4.
        corpus: the corpus artifact; null takes the one that the spans were mined from.
        spans: its spans artifact.
    """

    start: str = AUTO
    minutes: float | None = None
    corpus: Execution[Path | None] = None
    spans: Execution[Path]

    def __post_init__(self) -> None:
        """Refuse a start without a name, and a time that is not above 0."""
        check_start_name(self.start)
        check_minutes(self.minutes)


def main(settings: ChooseEncoderSettings) -> None:
    """Choose, unless the choice is up to date, and say it."""
    spans = open_artifact(settings.spans, kind="spans")
    corpus = find_input("corpus", settings.corpus, through=spans, workspace=settings.workspace)
    installed = installed_name()
    stage = Stage(
        verb="choose-encoder",
        kind="choice",
        output=settings.output,
        config=settings.resolved,
        inputs={"corpus": corpus, "spans": spans},
        overwrite=settings.overwrite,
        # an extra that was installed since may change the choice
        fingerprint_extra={
            "installed": installed,
            **fingerprint_start_files([settings.start] if settings.start != AUTO else []),
        },
    )
    if stage.up_to_date():
        return

    from spider.corpus.corpus import Corpus

    passages = Corpus(corpus)

    def seconds_a_passage(start: str) -> float:
        if (known := measured_before(stage.previous, start)) is not None:
            return known
        # the import loads torch, which an encoder from scratch does not need here
        from pretrain.choice.cost import measure

        return measure(start, passages)

    decision = decide(
        settings.start,
        Folder(passages=len(passages), pairs=int(spans.counts["training_pairs"])),
        installed=installed,
        minutes=settings.minutes,
        seconds_a_passage=seconds_a_passage,
    )
    with stage.writing(resumes=False) as folder:
        write_json(folder / CHOICE, decision.record.to_details())
        stage.finish(
            counts={"passages": len(passages)},
            details=decision.record,
            volatile={"estimate": decision.estimate},
        )
    logger.info("encoder: %s", decision.record.reason)


if __name__ == "__main__":
    launch(main, verb="choose-encoder")
