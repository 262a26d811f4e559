"""Trains a language model on a corpus and writes a reader, which transformers can open."""

import dataclasses
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import tokenizers
import torch

from jamba_reader.checkpoints.files import read_config
from jamba_reader.checkpoints.location import find_checkpoint
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
    ModelTexts,
    build_document_tokens,
)
from jamba_reader.training.objective import LanguageModelObjective
from jamba_reader.training.parameter_groups import make_adamw
from jamba_reader.training.settings import LanguageModelSettings
from jamba_reader.training.token_streams import TokenStreams
from jamba_reader.training.validation import HeldoutPerplexity
from spider.artifacts.model_card import CARD, ModelCard, corpus_facts, public_name
from spider.artifacts.records.reader import LanguageModelTrainingRecord, ReaderRecord
from spider.corpus.corpus import Corpus
from spider.corpus.split import DocumentSplit
from spider.errors import CheckpointError, ConfigError, DataError
from spider.training.loop import CHECKPOINTS, TENSORBOARD, Outcome, train

logger = logging.getLogger(__name__)

TOKENS = "tokens"
TOKENIZER = "tokenizer"
UNHASHED = (TENSORBOARD, CARD)
"""Event files contain times of day, and the model card only describes the model."""
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


class LanguageModelTraining:
    """Trains a language model on a corpus.

    Args:
        settings: all settings that decide the model, apart from the corpus.

    Raises:
        ConfigError: the vocabulary is too small, or start has int8 weights.
        CheckpointError: start is not a Jamba checkpoint.
    """

    def __init__(self, settings: LanguageModelSettings):
        # before anything is written
        if not (settings.start or settings.start_tokenizer):
            check_vocabulary_size(settings.vocabulary_size)
        if settings.start and read_config(find_checkpoint(settings.start))[1] is not None:
            raise ConfigError(f"start={settings.start}: int8 weights cannot be trained")
        self.settings = settings

    def run(self, corpus: Corpus, folder: Path, *, split: DocumentSplit) -> TrainedLanguageModel:
        """Train in ``folder``, resuming from its checkpoints, and write the reader.

        Args:
            corpus: the corpus.
            folder: an existing folder.
            split: the split of the corpus; no document or section of the test part is read.

        Raises:
            DataError: there is too little to train on.
            ConfigError: a setting is out of range.
            CheckpointError: start has weights that are not finite.
        """
        if not corpus.n_documents:
            raise DataError("nothing to train on: the corpus has no document", path=corpus.path)
        (folder / TOKENIZER).mkdir(exist_ok=True)
        texts = ModelTexts(corpus, split)
        vocabulary = settle_vocabulary(
            self._vocabulary_texts(texts),
            folder / TOKENIZER,
            source=self.settings.start_tokenizer
            or (str(find_checkpoint(self.settings.start)) if self.settings.start else ""),
            vocabulary_size=self.settings.vocabulary_size,
        )
        tokens = build_document_tokens(texts, vocabulary, folder / TOKENS)
        model = self._model(vocabulary)
        outcome, training = Outcome(0, {}), LanguageModelTrainingRecord()
        if self.settings.training.trains:
            outcome, training = self._train(model, tokens, texts, folder)
        save_model(model.cpu(), folder)
        save_vocabulary(vocabulary, folder)
        counts = {
            "steps": outcome.steps,
            "documents": len(split.training),
            "heldout_documents": len(split.validation),
            "test_documents": len(split.test),
            "documents_by_sections": len(split.sectioned),
            "vocabulary": model.config.vocab_size,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
        }
        self._card(corpus, counts, training).save(folder)
        return TrainedLanguageModel(counts, ReaderRecord(training=training))

    def _card(
        self, corpus: Corpus, counts: Mapping[str, int], training: LanguageModelTrainingRecord
    ) -> ModelCard:
        return ModelCard(
            title="A Jamba language model",
            summary=(
                "Continues text: a small model of attention, Mamba and expert layers (Jamba, "
                "Lieber et al. 2024). Made by `spider train-language-model`."
            ),
            training=(
                "Trained to predict the next token of the corpus's training documents. No test "
                "document was read, and validation documents served only to measure."
                if counts["steps"]
                else "Not trained here: the weights are those that training would start from."
            ),
            corpus={
                **corpus_facts(corpus.artifact),
                "training documents": counts["documents"],
                "validation documents": counts["heldout_documents"],
                "test documents": counts["test_documents"],
            },
            settings={
                "starts from": public_name(self.settings.start),
                "vocabulary from": public_name(
                    self.settings.start_tokenizer or self.settings.start
                ),
                "vocabulary": counts["vocabulary"],
                "parameters": counts["parameters"],
                "steps": counts["steps"],
                "tokens in a step": training.tokens_per_step or 0,
                "epochs": training.epochs or 0.0,
                "learning rate": self.settings.learning_rate,
                "weight decay": self.settings.weight_decay,
                "seed": self.settings.training.seed,
            },
            measures=training.validation or {},
            usage=(
                "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
                'model = AutoModelForCausalLM.from_pretrained(".")  # the folder of this file\n'
                'tokenizer = AutoTokenizer.from_pretrained(".")'
            ),
            limits=[
                "It is a language model: it does not answer questions, and its text may be false.",
                "It knows only its corpus, and may repeat passages of it word for word.",
            ],
        )

    def _vocabulary_texts(self, texts: ModelTexts) -> Iterator[str]:
        """Yield evenly spaced training texts."""
        training = texts.numbers("train")
        stride = max(1, -(-len(training) // self.settings.vocabulary_documents))
        for number in training[::stride].tolist():
            yield texts.text(number)

    def _model(self, vocabulary: tokenizers.Tokenizer) -> JambaLanguageModel:
        size = vocabulary.get_vocab_size(with_added_tokens=True)
        if self.settings.start:
            model = load_model(self.settings.start, dtype=torch.float32)
            _check_finite(model, self.settings.start)
            if size > model.config.vocab_size:
                raise ConfigError(
                    f"the tokenizer has {size} tokens, start={self.settings.start} "
                    f"{model.config.vocab_size}; leave start_tokenizer empty to take its own"
                )
        else:
            config = dataclasses.replace(
                self.settings.reader_size,
                vocab_size=size,
                pad_token_id=vocabulary.token_to_id(PAD),
                bos_token_id=vocabulary.token_to_id(BEGIN),
                eos_token_ids=(token_number(vocabulary, END),),
            )
            model = JambaLanguageModel(config, dtype=torch.float32)
            generator = torch.Generator().manual_seed(self.settings.training.seed)
            initialise(model, generator, mamba_time_steps=self.settings.mamba_time_steps)
        model.gradient_checkpointing = self.settings.gradient_checkpointing
        return model

    def _train(
        self, model: JambaLanguageModel, tokens: DocumentTokens, texts: ModelTexts, folder: Path
    ) -> tuple[Outcome, LanguageModelTrainingRecord]:
        streams = TokenStreams(
            tokens,
            texts.numbers("train"),
            batch_size=self.settings.batch_size,
            chunk_tokens=self.settings.chunk_tokens,
            chunks_per_step=self.settings.chunks_per_step,
            seed=self.settings.training.seed,
        )
        validation = HeldoutPerplexity(
            tokens,
            texts.numbers("validation"),
            tokens=self.settings.validation_tokens,
            seed=self.settings.training.seed,
        )
        if not validation.tokens:
            logger.warning("there is no validation document: training continues without validation")
        objective = LanguageModelObjective(
            model,
            batch_size=self.settings.batch_size,
            attention_memory=self.settings.attention_memory,
        )
        outcome = train(
            objective,
            make_batch=streams.batch,
            make_optimizer=lambda module: make_adamw(
                module,
                learning_rate=self.settings.learning_rate,
                weight_decay=self.settings.weight_decay,
                beta2=self.settings.beta2,
            ),
            validate=validation,
            settings=self.settings.training,
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
    """Check that all weights are finite.

    Raises:
        CheckpointError: a weight is infinite or not a number.
    """
    for name, weight in model.named_parameters():
        # the extremes are nan if any weight is
        if not bool(torch.stack(weight.detach().aminmax()).isfinite().all()):
            raise CheckpointError(
                f"start={start}: {name} has weights that are infinite or not numbers; download the "
                "checkpoint again, or start from another"
            )
