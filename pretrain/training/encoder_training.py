"""Training an encoder on a corpus: from documents and spans to an exported checkpoint."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, overload

import safetensors.torch
import torch
from torch import nn, optim

from pretrain.pairings.choice import choose_pairings
from pretrain.pairings.independent_crop import IndependentCrop
from pretrain.pairings.pairing import Pairing, PreparedPairing
from pretrain.pairings.title import Title
from pretrain.training.batch import Collator, PairBatch
from pretrain.training.distributed import is_main, main_first, processes
from pretrain.training.objective import ContrastiveObjective
from pretrain.training.pair_stream import PairStream
from pretrain.training.validation import HeldoutValidation
from spider.artifacts.records.encoder import EncoderRecord, EncoderTrainingRecord
from spider.corpus.corpus import Corpus
from spider.encoders.trainable import EncoderSettings, TrainableEncoder
from spider.errors import DataError
from spider.spans.span_store import SpanStore
from spider.text.token_store import TokenStore, build_token_store
from spider.training.loop import CHECKPOINTS, TENSORBOARD, Outcome, train
from spider.training.settings import TrainingSettings

logger = logging.getLogger(__name__)

TOKENS = "tokens"
TOKENIZER = "tokenizer"
TABLES = "training"
RECURRING_SPAN = "recurring_span"
UNHASHED = (TENSORBOARD,)
"""Event files hold times of day."""
LEFTOVERS = (CHECKPOINTS, TOKENS, TOKENIZER)
"""What an interrupted run goes on from, until its artifact is whole."""


class TrainedEncoder(NamedTuple):
    """What a training run leaves beside its files.

    Attributes:
        counts: for the manifest.
        record: the details for the manifest; None in a process that is not the main one.
    """

    counts: dict[str, int]
    record: EncoderRecord | None


@dataclass(frozen=True, kw_only=True)
class EncoderTraining:
    """Everything that decides an encoder, but for the corpus and its spans.

    Attributes:
        encoder: the variant.
        pairings: where pairs come from, by name.
        weights: shares of a batch by name; a missing one weighs 1.
        enlarge_few: add crop and title pairs where the recurring spans yield few pairs.
        batch_size: queries in a step, over all processes.
        learning_rate: peak.
        mask_known: leave passages that are known to answer a query out of its loss.
        vocabulary_passages: a vocabulary is trained on at most this many passages, spread evenly.
        settings: of the loop.
    """

    encoder: EncoderSettings
    pairings: Mapping[str, Pairing]
    weights: Mapping[str, float] = field(default_factory=dict)
    enlarge_few: bool = True
    batch_size: int
    learning_rate: float
    mask_known: bool = True
    vocabulary_passages: int = 300_000
    settings: TrainingSettings

    def run(self, corpus: Corpus, spans: SpanStore, folder: Path) -> TrainedEncoder:
        """Train into ``folder`` (resuming what it holds) and export, in the main process.

        Raises:
            DataError: there is nothing to train on.
        """
        if not len(corpus):
            raise DataError("nothing to train on: the corpus has no passage", path=corpus.path)
        with main_first():
            (folder / TOKENIZER).mkdir(exist_ok=True)
            texts = CorpusTexts(corpus, self.vocabulary_passages)
            tokenizer = self.encoder.tokenizer(texts, folder / TOKENIZER)
            tokens = build_token_store(corpus, tokenizer, folder / TOKENS)
        encoder = self.encoder.build(
            tokenizer, seed=self.settings.seed, idf=tokens.inverse_passage_frequency()
        )
        pairs: dict[str, Any] = {}
        outcome = Outcome(0, {})
        if self.settings.steps or self.settings.minutes:
            stream, reason = self._stream(corpus, spans, tokens)
            outcome = self._train(encoder, stream, corpus, spans, tokens, folder)
            pairs = {
                "pairs": stream.pairs,
                "batch_size": stream.batch_size,
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
        return TrainedEncoder(counts, replace(_export(encoder, folder), training=training))

    def _stream(
        self, corpus: Corpus, spans: SpanStore, tokens: TokenStore
    ) -> tuple[PairStream, str]:
        prepared: dict[str, PreparedPairing] = {
            name: pairing.prepare(corpus, spans, tokens) for name, pairing in self.pairings.items()
        }
        weights, reason = dict(self.weights), ""
        if self.enlarge_few and set(prepared) == {RECURRING_SPAN}:
            choice = choose_pairings(len(prepared[RECURRING_SPAN]))
            if set(choice.weights) != set(prepared):
                reason = choice.reason
                logger.warning("%s", reason)
                weights = dict(choice.weights)
                prepared["independent_crop"] = IndependentCrop().prepare(corpus, spans, tokens)
                prepared["title"] = Title().prepare(corpus, spans, tokens)
        stream = PairStream(
            prepared,
            weights=weights,
            batch_size=self.batch_size,
            seed=self.settings.seed,
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
            mask_known=self.mask_known,
        )

        def make_batch(step: int) -> PairBatch:
            share = stream.batch_size // processes()
            rank = torch.distributed.get_rank() if processes() > 1 else 0
            return collator.collate(stream.examples(step), range(rank * share, (rank + 1) * share))

        validation = HeldoutValidation(corpus=corpus, spans=spans, tokens=tokens, encoder=encoder)
        return train(
            ContrastiveObjective(encoder),
            make_batch=make_batch,
            make_optimizer=lambda _: make_optimizer(encoder, self.learning_rate),
            validate=validation,
            settings=self.settings,
            folder=folder,
        )


def make_optimizer(encoder: TrainableEncoder, learning_rate: float) -> optim.Optimizer:
    """Return Adam with the paper's constants, fused: one pass over the parameters."""
    groups = encoder.parameter_groups(learning_rate)
    return optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=True)


class CorpusTexts(Sequence[str]):
    """The texts a vocabulary is trained on, read from the corpus when asked for.

    A document's first passage comes with the title.

    Args:
        corpus: passages.
        at_most: how many texts, spread evenly over the corpus.
    """

    def __init__(self, corpus: Corpus, at_most: int):
        self._corpus = corpus
        self._stride = max(1, -(-len(corpus) // at_most))

    def __len__(self) -> int:
        return -(-len(self._corpus) // self._stride)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        position = index * self._stride
        text = self._corpus.text(position)
        first = self._corpus.document_passages(self._corpus.document_number(position))[0]
        return f"{self._corpus.title(position)}\n{text}" if position == first else text


def _export(encoder: TrainableEncoder, folder: Path) -> EncoderRecord:
    """Write the inference files, and the tables that they fold."""
    record = encoder.export(folder)
    if isinstance(encoder, nn.Module) and hasattr(encoder, "folded"):
        (folder / TABLES).mkdir(exist_ok=True)
        tables = {name: value.contiguous() for name, value in encoder.state_dict().items()}
        safetensors.torch.save_file(tables, folder / TABLES / "tables.safetensors")
    return record
