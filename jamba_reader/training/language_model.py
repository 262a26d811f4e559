"""Trains a language model on a corpus and writes a reader, which transformers can open."""

import dataclasses
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tokenizers
import torch
from jaxtyping import Int64

from jamba_reader.checkpoints.files import read_config
from jamba_reader.checkpoints.location import find_checkpoint
from jamba_reader.config import JambaConfig
from jamba_reader.model.initialisation import initialise
from jamba_reader.model.loading import load_model, save_model
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.tokenization.vocabulary import (
    BEGIN,
    END,
    PAD,
    check_vocabulary_size,
    save_vocabulary,
    settle_vocabulary,
    token_number,
)
from jamba_reader.training.document_tokens import (
    DocumentTokens,
    build_document_tokens,
    document_text,
)
from jamba_reader.training.objective import LanguageModelObjective
from jamba_reader.training.parameter_groups import make_adamw
from jamba_reader.training.token_streams import TokenStreams
from jamba_reader.training.validation import HeldoutPerplexity
from spider.artifacts.records.reader import LanguageModelTrainingRecord, ReaderRecord
from spider.corpus.corpus import Corpus
from spider.corpus.split import DocumentSplit
from spider.errors import CheckpointError, ConfigError, DataError
from spider.training.loop import CHECKPOINTS, TENSORBOARD, Outcome, train
from spider.training.settings import TrainingSettings

logger = logging.getLogger(__name__)

TOKENS = "tokens"
TOKENIZER = "tokenizer"
UNHASHED = (TENSORBOARD,)
"""Event files contain times of day."""
LEFTOVERS = (CHECKPOINTS, TOKENS, TOKENIZER)
"""State from which an interrupted run resumes, until its artifact is complete."""


class TrainedLanguageModel(NamedTuple):
    """The results of a training run besides its files.

    Attributes:
        counts: counts for the manifest.
        record: details for the manifest.
    """

    counts: dict[str, int]
    record: ReaderRecord


@dataclass(frozen=True, kw_only=True)
class LanguageModelTraining:
    """Trains a language model; the settings decide everything except the corpus.

    Attributes:
        reader_size: shape of a new model; the vocabulary's size is the tokenizer's.
        start: a checkpoint whose training continues; empty trains a new model.
        tokenizer: a folder with ``tokenizer.json``; empty takes that of ``start``, or trains one.
        vocabulary_size: largest number of tokens of a trained vocabulary.
        vocabulary_documents: largest number of documents on which a vocabulary is trained.
        lanes: number of token streams that are read in parallel.
        chunk_tokens: tokens of a stream in one pass through the model.
        chunks_per_step: passes in a step.
        attention_memory: tokens whose keys and values a stream carries into the next step.
        validation_tokens: about this many tokens of the validation documents are read each time.
        mamba_time_steps: draw Mamba's time steps for a new model.
        gradient_checkpointing: recompute each layer in the backward pass instead of keeping its
            activations.
        learning_rate: peak of the learning rate.
        weight_decay: weight decay of matrices.
        beta2: AdamW's decay of the second moment.
        settings: settings of the training loop.
    """

    reader_size: JambaConfig
    start: str = ""
    tokenizer: str = ""
    vocabulary_size: int = 8192
    vocabulary_documents: int = 20_000
    lanes: int
    chunk_tokens: int
    chunks_per_step: int
    attention_memory: int
    validation_tokens: int
    mamba_time_steps: bool = True
    gradient_checkpointing: bool = False
    learning_rate: float
    weight_decay: float
    beta2: float
    settings: TrainingSettings

    def __post_init__(self) -> None:
        """Check the settings before anything is written.

        Raises:
            ConfigError: a setting is out of range, or start has int8 weights.
            CheckpointError: start is not a Jamba checkpoint.
        """
        for name in ("vocabulary_documents", "lanes", "chunk_tokens", "chunks_per_step"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)}: expected at least 1")
        for name in ("attention_memory", "validation_tokens", "learning_rate", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name}={getattr(self, name)}: expected 0 or more")
        if not 0.0 <= self.beta2 < 1.0:
            raise ConfigError(f"beta2={self.beta2}: expected 0 to less than 1")
        if not (self.start or self.tokenizer):
            check_vocabulary_size(self.vocabulary_size)
        if self.start and read_config(find_checkpoint(self.start))[1] is not None:
            raise ConfigError(f"start={self.start}: int8 weights cannot be trained")

    def run(self, corpus: Corpus, folder: Path, *, split: DocumentSplit) -> TrainedLanguageModel:
        """Train in ``folder``, resuming from its checkpoints, and write the reader.

        Args:
            corpus: the corpus.
            folder: an existing folder.
            split: the split of the corpus's documents; no test document is read.

        Raises:
            DataError: there is too little to train on.
            ConfigError: a setting is out of range.
            CheckpointError: start has weights that are not finite.
        """
        if not corpus.n_documents:
            raise DataError("nothing to train on: the corpus has no document", path=corpus.path)
        (folder / TOKENIZER).mkdir(exist_ok=True)
        vocabulary = settle_vocabulary(
            self._vocabulary_texts(corpus, split.training),
            folder / TOKENIZER,
            source=self.tokenizer or (str(find_checkpoint(self.start)) if self.start else ""),
            vocabulary_size=self.vocabulary_size,
        )
        tokens = build_document_tokens(corpus, vocabulary, folder / TOKENS)
        model = self._model(vocabulary)
        outcome, training = Outcome(0, {}), LanguageModelTrainingRecord()
        if self.settings.steps or self.settings.minutes:
            outcome, training = self._train(model, tokens, split, folder)
        save_model(model.cpu(), folder)
        save_vocabulary(vocabulary, folder)
        counts = {
            "steps": outcome.steps,
            "documents": len(split.training),
            "heldout_documents": len(split.validation),
            "test_documents": len(split.test),
            "vocabulary": model.config.vocab_size,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
        }
        return TrainedLanguageModel(counts, ReaderRecord(training=training))

    def _vocabulary_texts(
        self, corpus: Corpus, training: Int64[np.ndarray, " documents"]
    ) -> Iterator[str]:
        """Yield the texts of evenly spaced training documents."""
        stride = max(1, -(-len(training) // self.vocabulary_documents))
        for number in training[::stride].tolist():
            yield document_text(corpus, number)

    def _model(self, vocabulary: tokenizers.Tokenizer) -> JambaLanguageModel:
        size = vocabulary.get_vocab_size(with_added_tokens=True)
        if self.start:
            model = load_model(self.start, dtype=torch.float32)
            _check_finite(model, self.start)
            if size > model.config.vocab_size:
                raise ConfigError(
                    f"the tokenizer has {size} tokens, start={self.start} "
                    f"{model.config.vocab_size}; leave tokenizer empty to take its own"
                )
        else:
            config = dataclasses.replace(
                self.reader_size,
                vocab_size=size,
                pad_token_id=vocabulary.token_to_id(PAD),
                bos_token_id=vocabulary.token_to_id(BEGIN),
                eos_token_ids=(token_number(vocabulary, END),),
            )
            model = JambaLanguageModel(config, dtype=torch.float32)
            generator = torch.Generator().manual_seed(self.settings.seed)
            initialise(model, generator, mamba_time_steps=self.mamba_time_steps)
        model.gradient_checkpointing = self.gradient_checkpointing
        return model

    def _train(
        self, model: JambaLanguageModel, tokens: DocumentTokens, split: DocumentSplit, folder: Path
    ) -> tuple[Outcome, LanguageModelTrainingRecord]:
        streams = TokenStreams(
            tokens,
            split.training,
            batch_size=self.lanes,
            chunk_tokens=self.chunk_tokens,
            chunks_per_step=self.chunks_per_step,
            seed=self.settings.seed,
        )
        validation = HeldoutPerplexity(
            tokens, split.validation, tokens=self.validation_tokens, seed=self.settings.seed
        )
        if not validation.tokens:
            logger.warning("no document is kept from training: it goes on without validation")
        objective = LanguageModelObjective(
            model, batch_size=self.lanes, attention_memory=self.attention_memory
        )
        outcome = train(
            objective,
            make_batch=streams.batch,
            make_optimizer=lambda module: make_adamw(
                module,
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                beta2=self.beta2,
            ),
            validate=validation,
            settings=self.settings,
            folder=folder,
        )
        record = LanguageModelTrainingRecord(
            steps=outcome.steps,
            tokens_per_step=streams.tokens_per_step,
            training_tokens=streams.tokens,
            epochs=round(outcome.steps / streams.steps_per_epoch, 3),
            validation_tokens=validation.tokens,
            validation=outcome.validation,
        )
        return outcome, record


def _check_finite(model: JambaLanguageModel, start: str) -> None:
    """Refuse weights that no step could mend.

    Raises:
        CheckpointError: a weight is infinite or not a number.
    """
    for name, weight in model.named_parameters():
        # the extremes are nan where any weight is
        if not bool(torch.stack(weight.detach().aminmax()).isfinite().all()):
            raise CheckpointError(
                f"start={start}: {name} has weights that are infinite or not numbers; fetch the "
                "checkpoint again, or go on from another"
            )
