"""Verb ``train-language-model``: corpus → reader."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from jamba_reader.training.settings import LanguageModelSettings
from spider.artifacts.artifact import open_artifact
from spider.artifacts.chain import find_input
from spider.artifacts.stage import Stage
from spider.corpus.split import open_split, split_documents
from spider.encoders.start_files import fingerprint_start_files
from spider.errors import ConfigError
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.settings import Execution

logger = logging.getLogger(__name__)

NEW_MODEL = ("reader_size", "mamba_time_steps")
"""Settings that have no effect with start."""
NEW_VOCABULARY = ("vocabulary_size", "vocabulary_documents")
"""Settings that have no effect with start or start_tokenizer."""


@dataclass(frozen=True, kw_only=True)
class TrainLanguageModelSettings(LanguageModelSettings, StageSettings):
    """Settings of ``spider train-language-model``.

    Attributes:
        corpus: the corpus artifact; null takes the one that the spans were mined from.
        spans: spans of the same corpus, whose split of documents is used, so that retriever and
            reader hold out the same documents. Without spans, ``split`` decides.
    """

    corpus: Execution[Path | None] = None
    spans: Execution[Path | None] = None


def main(settings: TrainLanguageModelSettings) -> None:
    """Train a language model, unless it is up to date.

    Raises:
        ConfigError: a setting has no effect beside another, or several processes were started.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError(
            "train-language-model runs in one process, which holds the states that sequences carry "
            "from step to step; start it without torchrun"
        )
    spans = None
    # the workspace's spans may be missing, but spans that a person names may not
    if settings.spans and ("spans" in settings.given or settings.spans.exists()):
        spans = open_artifact(settings.spans, kind="spans")
    opened = find_input("corpus", settings.corpus, through=spans, workspace=settings.workspace)
    inputs = {"corpus": opened} if spans is None else {"corpus": opened, "spans": spans}
    _refuse_settings_without_effect(settings, split_is_given="spans" in inputs)
    stage = Stage(
        verb="train-language-model",
        kind="reader",
        output=settings.output,
        config=settings.resolved,
        inputs=inputs,
        overwrite=settings.overwrite,
        fingerprint_extra=fingerprint_start_files([settings.start, settings.start_tokenizer]),
    )
    if stage.up_to_date():
        return

    from jamba_reader.training.language_model import LEFTOVERS, UNHASHED, LanguageModelTraining
    from spider.corpus.corpus import Corpus

    training = LanguageModelTraining(settings)
    with stage.writing() as folder:
        corpus = Corpus(opened)
        if "spans" in inputs:
            split = open_split(inputs["spans"], corpus)
        else:
            # on Python's documentation one of 52 test documents of the retriever is trained on
            logger.warning(
                "no spans of this corpus: the split is of all documents, and mining later may hold "
                "out some that are trained on here; `spider mine` first gives both one split"
            )
            split = split_documents(corpus, settings.split)
        result = training.run(corpus, folder, split=split)
        stage.finish(
            counts=result.counts,
            details=result.record,
            unhashed=UNHASHED,
            leftovers=LEFTOVERS,
        )


def _refuse_settings_without_effect(
    settings: TrainLanguageModelSettings, *, split_is_given: bool
) -> None:
    """Refuse settings of a new model, vocabulary or split if none is made."""
    for start, unused in (
        ("start", (*NEW_MODEL, *NEW_VOCABULARY)),
        ("start_tokenizer", NEW_VOCABULARY),
    ):
        place = getattr(settings, start)
        for name in unused:
            if place and name in settings.given:
                part = "model" if name in NEW_MODEL else "vocabulary"
                raise ConfigError(
                    f"{name} applies to a new {part}, and {start}={place} brings its own; leave "
                    "out one of them"
                )
    if split_is_given and "split" in settings.given:
        raise ConfigError(
            f"split has no effect, since {settings.spans} holds the split of this corpus; leave "
            "split out, or give spans=null"
        )


if __name__ == "__main__":
    launch(main, verb="train-language-model")
