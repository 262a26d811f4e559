"""The verb ``train-language-model``: corpus → reader."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jamba_reader.config import JambaConfig
from spider.artifacts.artifact import open_artifact
from spider.artifacts.stage import Stage
from spider.corpus.split import SplitRule
from spider.encoders.start_files import fingerprint_start_files
from spider.errors import ConfigError
from spider.launch.entrypoint import launch

NO_PART_OF_IT = ("save_every", "keep", "start", "tokenizer", "spans")
"""Settings that change no weight, and places of files whose content counts instead."""

NEW_MODEL = ("reader_size", "mamba_time_steps")
"""What start brings itself."""

NEW_VOCABULARY = ("vocabulary_size", "vocabulary_documents")
"""What start and tokenizer bring themselves."""


@dataclass(frozen=True, kw_only=True)
class TrainLanguageModelConfig:
    """Settings of ``train-language-model``.

    Attributes:
        corpus: the corpus artifact.
        output: where the reader is written.
        reader_size: shape of a new model (reader_size=tiny, reader_size=small); its vocabulary's
            size is the tokenizer's.
        start: a reader or Jamba checkpoint to go on from; empty begins anew.
        tokenizer: a folder with tokenizer.json; empty trains a vocabulary, or takes start's.
        vocabulary_size: at most this many tokens where a vocabulary is trained.
        vocabulary_documents: a vocabulary is trained on at most this many documents.
        lanes: documents read side by side.
        chunk_tokens: tokens of a lane in one pass through the model.
        chunks_per_step: passes of a step; gradients flow between them, and not between steps.
        attention_memory: last tokens whose keys and values a lane carries into the next step.
        spans: spans of the same corpus, whose split of documents is used; where there are none,
            validation_share, test_share and split_seed split all documents.
        validation_share: share of the documents kept for validation.
        test_share: share of the documents that are neither trained nor validated on.
        split_seed: which documents those are.
        validation_tokens: about this many tokens of the validation documents are read each
            time.
        mamba_time_steps: begin with Mamba's time steps; false begins with transformers'.
        gradient_checkpointing: compute each layer twice instead of keeping what it computed.
        learning_rate: peak learning rate.
        weight_decay: of matrices; never of A_log, D, norms, biases and embeddings.
        beta2: AdamW's second moment.
        steps: steps; 0 writes the untrained model.
        minutes: time budget that picks the number of steps once, before the first.
        warmup_share: share of the steps in which the learning rate rises.
        clip_norm: gradients longer than this are shortened to it; 0 leaves them.
        seed: all randomness follows from it.
        log_every: steps between two lines of metrics.jsonl.
        validate_every: steps between two validations.
        save_every: steps between two checkpoints.
        keep: checkpoints kept while training.
        device: auto, cpu or cuda.
        overwrite: replace a reader made from other settings.
        resolved: filled by the launcher.
        given: filled by the launcher.
    """

    corpus: Path
    output: Path
    reader_size: JambaConfig
    start: str = ""
    tokenizer: str = ""
    vocabulary_size: int = 8192
    vocabulary_documents: int = 20_000
    lanes: int = 8
    chunk_tokens: int = 256
    chunks_per_step: int = 1
    attention_memory: int = 512
    spans: Path | None = None
    validation_share: float = 0.1
    test_share: float = 0.2
    split_seed: int = 0
    validation_tokens: int = 50_000
    mamba_time_steps: bool = True
    gradient_checkpointing: bool = False
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    beta2: float = 0.95
    steps: int = 500
    minutes: float | None = None
    warmup_share: float = 0.05
    clip_norm: float = 1.0
    seed: int = 0
    log_every: int = 10
    validate_every: int = 250
    save_every: int = 250
    keep: int = 2
    device: str = "auto"
    overwrite: bool = False
    resolved: dict[str, Any] = field(default_factory=dict)
    given: tuple[str, ...] = ()


def main(config: TrainLanguageModelConfig) -> None:
    """Train a language model, or find that it is up to date.

    Raises:
        ConfigError: a setting is out of range or without effect beside another, or several
            processes were started.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError(
            "train-language-model runs in one process: the states that lanes carry from step to "
            "step live in it; start it without torchrun"
        )
    _refuse_idle_settings(config)
    rule = SplitRule(
        validation_share=config.validation_share,
        test_share=config.test_share,
        seed=config.split_seed,
    )
    inputs = {"corpus": open_artifact(config.corpus, kind="corpus")}
    # the workspace's spans need not be there; those that a person names do
    if config.spans and ("spans" in config.given or config.spans.exists()):
        inputs["spans"] = open_artifact(config.spans, kind="spans")
    stage = Stage(
        verb="train-language-model",
        kind="reader",
        output=config.output,
        config={
            name: value for name, value in config.resolved.items() if name not in NO_PART_OF_IT
        },
        inputs=inputs,
        overwrite=config.overwrite,
        fingerprint_extra=fingerprint_start_files([config.start, config.tokenizer]),
    )
    if stage.up_to_date():
        return
    from jamba_reader.training.language_model import LEFTOVERS, UNHASHED, LanguageModelTraining
    from spider.corpus.corpus import Corpus
    from spider.corpus.split import open_split, split_documents
    from spider.training.settings import TrainingSettings

    training = LanguageModelTraining(
        reader_size=config.reader_size,
        start=config.start,
        tokenizer=config.tokenizer,
        vocabulary_size=config.vocabulary_size,
        vocabulary_documents=config.vocabulary_documents,
        lanes=config.lanes,
        chunk_tokens=config.chunk_tokens,
        chunks_per_step=config.chunks_per_step,
        attention_memory=config.attention_memory,
        validation_tokens=config.validation_tokens,
        mamba_time_steps=config.mamba_time_steps,
        gradient_checkpointing=config.gradient_checkpointing,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        beta2=config.beta2,
        settings=TrainingSettings(
            steps=config.steps,
            minutes=config.minutes,
            warmup_share=config.warmup_share,
            clip_norm=config.clip_norm,
            seed=config.seed,
            log_every=config.log_every,
            validate_every=config.validate_every,
            save_every=config.save_every,
            keep=config.keep,
            device=config.device,
        ),
    )
    with stage.writing() as folder:
        corpus = Corpus.open(config.corpus)
        if "spans" in inputs:
            split = open_split(inputs["spans"], corpus)
        else:
            split = split_documents(corpus, rule)
        result = training.run(corpus, folder, split=split)
        stage.finish(
            counts=result.counts,
            details=result.record,
            unhashed=UNHASHED,
            leftovers=LEFTOVERS,
        )


def _refuse_idle_settings(config: TrainLanguageModelConfig) -> None:
    """Refuse what was asked of a new model or vocabulary where there will be none."""
    for source, idle in (
        ("start", (*NEW_MODEL, *NEW_VOCABULARY)),
        ("tokenizer", NEW_VOCABULARY),
    ):
        place = getattr(config, source)
        for name in idle:
            if place and name in config.given:
                part = "model" if name in NEW_MODEL else "vocabulary"
                raise ConfigError(
                    f"{name} is of a new {part}, {source}={place} brings its own: leave out one of "
                    "them"
                )


if __name__ == "__main__":
    launch(main, verb="train-language-model")
