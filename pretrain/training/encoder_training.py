"""Training an encoder on a corpus: from documents and spans to an exported checkpoint."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from torch import nn, optim

from pretrain.pairings.pairing import NO_NEGATIVE
from pretrain.training.adaptation import (
    VALIDATION_PASSAGES,
    adaptation_steps,
    adapted_training,
)
from pretrain.training.batch import Collator, PairBatch
from pretrain.training.corpus_texts import CorpusTexts
from pretrain.training.distributed import is_main, main_first, processes
from pretrain.training.encoder_card import encoder_card
from pretrain.training.interpolation import GRID, frozen, return_to_start
from pretrain.training.objective import ContrastiveObjective
from pretrain.training.pair_sources import pair_stream
from pretrain.training.settings import ContrastiveSettings
from pretrain.training.validation import HeldoutValidation
from spider.artifacts.model_card import CARD
from spider.artifacts.records.encoder import EncoderRecord, EncoderTrainingRecord
from spider.corpus.corpus import Corpus
from spider.encoders.trainable import EncoderSettings, FastInference, TrainableEncoder
from spider.errors import ConfigError, DataError, settings_within
from spider.spans.span_store import SpanStore
from spider.text.token_store import TokenStore, build_token_store
from spider.training.loop import CHECKPOINTS, TENSORBOARD, train

logger = logging.getLogger(__name__)

TOKENS = "tokens"
TOKENIZER = "tokenizer"
TABLES = "training"
UNHASHED = (TENSORBOARD, CARD)
"""Event files hold times of day; the model card describes the model without being part of it."""
LEFTOVERS = (CHECKPOINTS, TOKENS, TOKENIZER)
"""State from which an interrupted run resumes, until its artifact is complete."""


class TrainedEncoder(NamedTuple):
    """The results of a training run besides its files.

    Attributes:
        counts: the counts for the manifest.
        record: the details for the manifest; None in a process that is not the main one.
    """

    counts: dict[str, int]
    record: EncoderRecord | None


class EncoderTraining:
    """Trains an encoder on a corpus and its spans.

    Args:
        settings: all settings that decide the encoder, apart from the corpus and its spans.
    """

    def __init__(self, settings: ContrastiveSettings):
        self.settings = settings
        self.encoder: EncoderSettings = settings.architecture
        self.adapts = settings.training.trains and self.encoder.adapts()

    def run(self, corpus: Corpus, spans: SpanStore, folder: Path) -> TrainedEncoder:
        """Train in ``folder``, from its checkpoint if there is one; the main process exports.

        Raises:
            DataError: there is nothing to train on.
            ConfigError: documents are held out, and the settings want to train on all.
        """
        if not self.encoder.adapts():
            self.settings.adaptation.refuse_without_start(self.encoder.variant)
        if not len(corpus):
            raise DataError("nothing to train on: the corpus has no passage", path=corpus.path)
        self._settle_held_out(spans)
        with main_first():
            (folder / TOKENIZER).mkdir(exist_ok=True)
            texts = CorpusTexts(corpus, self.settings.vocabulary_passages)
            with settings_within("architecture"):
                tokenizer = self.encoder.tokenizer(texts, folder / TOKENIZER)
            tokens = build_token_store(corpus, tokenizer, folder / TOKENS)
        with settings_within("architecture"):
            encoder = self.encoder.build(
                tokenizer, seed=self.settings.training.seed, idf=tokens.inverse_passage_frequency()
            )
        facts: dict[str, Any] = {"steps": 0, "validation": {}}
        if self.settings.training.trains:
            facts = self._train(encoder, corpus, spans, tokens, folder)
        counts = {
            "steps": facts["steps"],
            "pairs": sum(facts.get("pairs", {}).values()),
            "vocabulary": tokenizer.vocabulary_size,
        }
        if not is_main():
            return TrainedEncoder(counts, None)
        record = replace(_export(encoder, folder), training=EncoderTrainingRecord(**facts))
        encoder_card(self.settings, corpus.artifact, record).save(folder)
        return TrainedEncoder(counts, record)

    def _settle_held_out(self, spans: SpanStore) -> None:
        share = spans.split.held_out_share()
        if not share or not self.settings.training.trains:
            return
        if self.settings.all_documents:
            raise ConfigError(
                f"{spans.path} holds {share:.0%} of the documents out of training, and "
                "all_documents=true (as in the paper) wants none held out; mine with "
                "split.validation_share=0 split.test_share=0, or give all_documents=false"
            )
        logger.info("%.0f %% of the usable documents are held out of training", 100 * share)

    def _train(
        self,
        encoder: TrainableEncoder,
        corpus: Corpus,
        spans: SpanStore,
        tokens: TokenStore,
        folder: Path,
    ) -> dict[str, Any]:
        """Train, and return the facts for the record."""
        settings = self.settings
        stream, reason = pair_stream(
            settings, corpus, spans, tokens, adapts=self.adapts, multiple=processes()
        )
        training, most_steps = settings.training, None
        if self.adapts:
            most_steps = adaptation_steps(sum(stream.pairs.values()), stream.batch_size)
            training = adapted_training(training, steps=most_steps)
        plain = self.adapts and not settings.adaptation.negatives
        collator = Collator(
            tokens=tokens,
            document_number=corpus.document_number,
            encoder=encoder,
            mask_known=settings.mask_known,
            longest=settings.adaptation.passage_length if self.adapts else None,
        )

        def make_batch(step: int) -> PairBatch:
            share = stream.batch_size // processes()
            rank = torch.distributed.get_rank() if processes() > 1 else 0
            examples = stream.examples(step)
            if plain:
                examples = [example._replace(negative=NO_NEGATIVE) for example in examples]
            return collator.collate(examples, range(rank * share, (rank + 1) * share))

        validation = self._validation(encoder, corpus, spans, tokens)
        objective = self._objective(encoder)
        chooses = self.adapts and settings.adaptation.interpolation is None
        outcome = train(
            objective,
            make_batch=make_batch,
            make_optimizer=lambda _: make_optimizer(encoder, settings.learning_rate),
            validate=validation,
            settings=training,
            folder=folder,
            most_steps=most_steps,
            validations_after=len(GRID) - 2 if chooses else 0,
        )
        facts = {
            "pairs": stream.pairs,
            "batch_size": stream.batch_size,
            "learning_rate": settings.learning_rate,
            "pairs_in_batch": stream.counts,
            "note": reason,
            "steps": outcome.steps,
            "validation": outcome.validation,
        }
        if not self.adapts:
            return facts
        return facts | {"precision": training.precision} | self._interpolate(objective, validation)

    def _validation(
        self, encoder: TrainableEncoder, corpus: Corpus, spans: SpanStore, tokens: TokenStore
    ) -> HeldoutValidation:
        if not self.adapts:
            return HeldoutValidation(corpus=corpus, spans=spans, tokens=tokens, encoder=encoder)
        return HeldoutValidation(
            corpus=corpus,
            spans=spans,
            tokens=tokens,
            encoder=encoder,
            max_passages=VALIDATION_PASSAGES,
            inference=self.encoder.inference if isinstance(self.encoder, FastInference) else None,
        )

    def _objective(self, encoder: TrainableEncoder) -> ContrastiveObjective:
        replay = self.settings.adaptation.replay
        if not replay:
            return ContrastiveObjective(encoder)
        start = self._start(encoder)
        return ContrastiveObjective(encoder, start, replay)

    def _start(self, encoder: TrainableEncoder) -> TrainableEncoder:
        """Read the start again."""
        return frozen(self.encoder.build(encoder.tokenizer, seed=self.settings.training.seed))

    def _interpolate(
        self, objective: ContrastiveObjective, validation: HeldoutValidation
    ) -> dict[str, Any]:
        """Move the encoder back towards its start, and return the facts for the record.

        The last checkpoint is written before. So an interrupted run does this again, and gets the
        same weights.
        """
        if not is_main():
            return {}
        return return_to_start(
            objective,
            self._start(objective.encoder),
            coefficient=self.settings.adaptation.interpolation,
            validation=validation,
        )


def make_optimizer(encoder: TrainableEncoder, learning_rate: float) -> optim.Optimizer:
    """Return Adam with the paper's constants, fused: one pass over the parameters."""
    groups = encoder.parameter_groups(learning_rate)
    return optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=True)


def _export(encoder: TrainableEncoder, folder: Path) -> EncoderRecord:
    """Write the inference files, and the tables that they fold."""
    record = encoder.export(folder)
    if isinstance(encoder, nn.Module) and hasattr(encoder, "folded"):
        (folder / TABLES).mkdir(exist_ok=True)
        tables = {name: value.contiguous() for name, value in encoder.state_dict().items()}
        safetensors.torch.save_file(tables, folder / TABLES / "tables.safetensors")
    return record
