"""Verb ``train``: corpus and spans → encoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pretrain.training.settings import ContrastiveSettings
from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.chain import find_input
from spider.artifacts.stage import Stage
from spider.encoders.corpus_fitted import CorpusFitted
from spider.encoders.start_files import fingerprint_start_files
from spider.errors import settings_within
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class TrainSettings(ContrastiveSettings, StageSettings):
    """Settings of ``spider train``.

    Attributes:
        corpus: the corpus artifact; null takes the one that the spans were mined from.
        spans: its spans artifact; not read for an architecture that is fitted to passages alone.
    """

    corpus: Execution[Path | None] = None
    spans: Execution[Path]


def main(settings: TrainSettings) -> None:
    """Train an encoder, unless it is up to date."""
    if isinstance(settings.architecture, CorpusFitted):
        _fit(settings, settings.architecture)
        return
    spans = open_artifact(settings.spans, kind="spans")
    corpus = find_input("corpus", settings.corpus, through=spans, workspace=settings.workspace)
    stage = _stage(settings, {"corpus": corpus, "spans": spans})
    if stage.up_to_date():
        return

    from pretrain.training.distributed import is_main, joint_stage
    from pretrain.training.encoder_training import LEFTOVERS, UNHASHED, EncoderTraining
    from spider.corpus.corpus import Corpus
    from spider.spans.span_store import SpanStore

    with joint_stage(stage, device=settings.training.device) as folder:
        training = EncoderTraining(settings)
        result = training.run(Corpus(corpus), SpanStore(spans.path, spans), folder)
        if is_main():
            stage.finish(
                counts=result.counts,
                variant=settings.architecture.variant,
                details=result.record,
                unhashed=UNHASHED,
                leftovers=LEFTOVERS,
            )


def _fit(settings: TrainSettings, architecture: CorpusFitted) -> None:
    """Fit an encoder that needs a corpus and no pairs; spans are not read."""
    from spider.corpus.corpus import Corpus

    corpus = find_input("corpus", settings.corpus, through=None, workspace=settings.workspace)
    stage = _stage(settings, {"corpus": corpus, **architecture.inputs()})
    if stage.up_to_date():
        return
    with stage.writing() as folder, settings_within("architecture"):
        fitted = architecture.fit(Corpus(corpus), folder, training=settings.training)
        stage.finish(
            counts=fitted.counts,
            variant=architecture.variant,
            details=fitted.record,
            unhashed=fitted.unhashed,
            leftovers=fitted.leftovers,
        )


def _stage(settings: TrainSettings, inputs: Mapping[str, Artifact]) -> Stage:
    return Stage(
        verb="train",
        kind="encoder",
        output=settings.output,
        config=settings.resolved,
        inputs=inputs,
        overwrite=settings.overwrite,
        fingerprint_extra=fingerprint_start_files(settings.architecture.starts),
    )


if __name__ == "__main__":
    launch(main, verb="train")
