"""Training an encoder on a corpus: from documents and spans to an exported checkpoint."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from torch import nn, optim

from pretrain.pairings.choice import choose_pairings
from pretrain.pairings.independent_crop import IndependentCrop
from pretrain.pairings.pairing import PreparedPairing
from pretrain.pairings.title import Title
from pretrain.training.batch import Collator, PairBatch
from pretrain.training.corpus_texts import CorpusTexts
from pretrain.training.distributed import is_main, main_first, processes
from pretrain.training.encoder_card import encoder_card
from pretrain.training.objective import ContrastiveObjective
from pretrain.training.pair_stream import PairStream
from pretrain.training.settings import ContrastiveSettings
from pretrain.training.validation import HeldoutValidation
from spider.artifacts.model_card import CARD
from spider.artifacts.records.encoder import EncoderRecord, EncoderTrainingRecord
from spider.corpus.corpus import Corpus
from spider.encoders.trainable import EncoderSettings, TrainableEncoder
from spider.errors import ConfigError, DataError, settings_within
from spider.spans.span_store import SpanStore
from spider.text.token_store import TokenStore, build_token_store
from spider.training.loop import CHECKPOINTS, TENSORBOARD, Outcome, train

logger = logging.getLogger(__name__)

TOKENS = "tokens"
TOKENIZER = "tokenizer"
TABLES = "training"
RECURRING_SPAN = "recurring_span"
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

    def run(self, corpus: Corpus, spans: SpanStore, folder: Path) -> TrainedEncoder:
        """Train in ``folder``, from its checkpoint if there is one; the main process exports.

        Raises:
            DataError: there is nothing to train on.
            ConfigError: documents are held out, and the settings want to train on all.
        """
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
        pairs: dict[str, Any] = {}
        outcome = Outcome(0, {})
        if self.settings.training.trains:
            stream, reason = self._stream(corpus, spans, tokens)
            outcome = self._train(encoder, stream, corpus, spans, tokens, folder)
            pairs = {
                "pairs": stream.pairs,
                "batch_size": stream.batch_size,
                "learning_rate": self.settings.learning_rate,
                "pairs_in_batch": stream.counts,
                "note": reason,
            }
        counts = {
            "steps": outcome.steps,
            "pairs": sum(pairs.get("pairs", {}).values()),
            "vocabulary": tokenizer.vocabulary_size,
        }
        if not is_main():
            return TrainedEncoder(counts, None)
        training = EncoderTrainingRecord(
            **pairs, steps=outcome.steps, validation=outcome.validation
        )
        record = replace(_export(encoder, folder), training=training)
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

    def _stream(
        self, corpus: Corpus, spans: SpanStore, tokens: TokenStore
    ) -> tuple[PairStream, str]:
        prepared: dict[str, PreparedPairing] = {
            name: pairing.prepare(corpus, spans, tokens)
            for name, pairing in self.settings.pairings.items()
        }
        weights, reason = dict(self.settings.weights), ""
        if self.settings.enlarge_few and set(prepared) == {RECURRING_SPAN}:
            choice = choose_pairings(len(prepared[RECURRING_SPAN]))
            if set(choice.weights) != set(prepared):
                reason = choice.reason
                logger.info("%s", reason)
                weights = dict(choice.weights)
                prepared["independent_crop"] = IndependentCrop().prepare(corpus, spans, tokens)
                prepared["title"] = Title().prepare(corpus, spans, tokens)
        stream = PairStream(
            prepared,
            weights=weights,
            batch_size=self.settings.batch_size,
            seed=self.settings.training.seed,
            multiple=processes(),
        )
        return stream, reason

    def _train(
        self,
        encoder: TrainableEncoder,
        stream: PairStream,
        corpus: Corpus,
        spans: SpanStore,
        tokens: TokenStore,
        folder: Path,
    ) -> Outcome:
        collator = Collator(
            tokens=tokens,
            document_number=corpus.document_number,
            encoder=encoder,
            mask_known=self.settings.mask_known,
        )

        def make_batch(step: int) -> PairBatch:
            share = stream.batch_size // processes()
            rank = torch.distributed.get_rank() if processes() > 1 else 0
            return collator.collate(stream.examples(step), range(rank * share, (rank + 1) * share))

        validation = HeldoutValidation(corpus=corpus, spans=spans, tokens=tokens, encoder=encoder)
        return train(
            ContrastiveObjective(encoder),
            make_batch=make_batch,
            make_optimizer=lambda _: make_optimizer(encoder, self.settings.learning_rate),
            validate=validation,
            settings=self.settings.training,
            folder=folder,
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
