"""Collation of a batch: token ids without padding, each passage once, and the mask of the loss."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from pretrain.pairings.pairing import NO_NEGATIVE, PairExample
from spider.encoders.trainable import TrainableEncoder
from spider.text.token_batch import TokenBatch, token_batch
from spider.text.token_store import TokenStore


class PairBatch(NamedTuple):
    """A process's share of a batch of pairs, ready for the encoder.

    The loss's columns are the positives of all processes and then, if the batch has any, the
    negatives of all; a process encodes the columns of its own rows.

    Attributes:
        queries: queries of this process.
        passages: passages of this process, each once.
        columns: the row in ``passages`` of each positive, and then of each negative.
        targets: the column of each query's positive.
        masked: columns left out of a query's loss.
    """

    queries: TokenBatch
    passages: TokenBatch
    columns: Int64[Tensor, " columns"]
    targets: Int64[Tensor, " rows"]
    masked: Bool[Tensor, "rows all_columns"]

    def to(self, device: torch.device | str) -> "PairBatch":
        """Return the batch on a device."""
        return PairBatch(
            self.queries.to(device),
            self.passages.to(device),
            self.columns.to(device),
            self.targets.to(device),
            self.masked.to(device),
        )


class Collator:
    """Turns pairs into a batch.

    Unlike in the paper, the loss leaves out passages that are known to answer a query, unless
    ``mask_known`` is false.

    Args:
        tokens: ids of passages and titles.
        document_number: the document of a passage's position.
        encoder: completes query and passage ids.
        mask_known: leave out of a query's loss the other passages known to answer it: those with
            its recurring span, and further columns of its positive.
        longest: tokens of a passage's text and title; None cuts nothing more than the encoder does.
    """

    def __init__(
        self,
        *,
        tokens: TokenStore,
        document_number: Callable[[int], int],
        encoder: TrainableEncoder,
        mask_known: bool = True,
        longest: int | None = None,
    ):
        self._tokens = tokens
        self._document_number = document_number
        self._encoder = encoder
        self._mask_known = mask_known
        self._longest = longest

    def collate(self, examples: Sequence[PairExample], rows: range) -> PairBatch:
        """Make the batch of one process.

        Args:
            examples: the pairs of all processes.
            rows: the pairs of this process.
        """
        own = [examples[row] for row in rows]
        positions = column_positions(examples)
        known = [example.known for example in own] if self._mask_known else None
        masked = mask_columns(positions, rows, known)
        texts, columns = self._passages(own, with_negatives=len(positions) > len(examples))
        queries = [self._encoder.query_ids(example.query) for example in own]
        return PairBatch(
            token_batch(queries),
            token_batch(texts),
            torch.from_numpy(columns),
            torch.arange(rows.start, rows.stop),
            torch.from_numpy(masked),
        )

    def _passages(
        self, own: Sequence[PairExample], *, with_negatives: bool
    ) -> tuple[list[np.ndarray], Int64[np.ndarray, " columns"]]:
        """Return the ids of the distinct passages, and the row of each column in them."""
        texts: list[np.ndarray] = []
        whole: dict[int, int] = {}

        def place(position: int) -> int:
            if position not in whole:
                whole[position] = len(texts)
                texts.append(self._ids(position, None, titled=True))
            return whole[position]

        positives = []
        for example in own:
            if example.positive_text is None and example.titled:
                positives.append(place(example.positive))
            else:
                positives.append(len(texts))
                text, titled = example.positive_text, example.titled
                texts.append(self._ids(example.positive, text, titled=titled))
        negatives = [
            # the column of an absent negative is masked everywhere, so it may show any passage
            column if example.negative == NO_NEGATIVE else place(example.negative)
            for example, column in zip(own, positives, strict=True)
        ]
        columns = positives + negatives if with_negatives else positives
        return texts, np.array(columns, dtype=np.int64)

    def _ids(self, position: int, text: np.ndarray | None, *, titled: bool) -> np.ndarray:
        ids = self._tokens.passage(position) if text is None else text
        title = self._tokens.title(self._document_number(position)) if titled else ids[:0]
        if self._longest is not None:
            title = title[: self._longest // 2]
            ids = ids[: self._longest - len(title)]
        return self._encoder.passage_ids(title, ids)


def column_positions(examples: Sequence[PairExample]) -> Int64[np.ndarray, " columns"]:
    """Return the positions of all positives and then, unless all are absent, of all negatives."""
    positives = np.array([example.positive for example in examples], dtype=np.int64)
    negatives = np.array([example.negative for example in examples], dtype=np.int64)
    if (negatives == NO_NEGATIVE).all():
        return positives
    return np.concatenate([positives, negatives])


def mask_columns(
    positions: Int64[np.ndarray, " columns"],
    rows: range,
    known: Sequence[Int64[np.ndarray, " _"]] | None,
) -> Bool[np.ndarray, "rows columns"]:
    """Return which columns are left out of each row's loss.

    Args:
        positions: passage of each column, -1 where there is none.
        rows: the rows to return; a row's positive is the column of its number.
        known: positions that may answer each of these rows; None masks only absent columns.
    """
    present, place = np.unique(positions, return_inverse=True)
    masked = np.zeros((len(rows), len(present)), dtype=np.bool_)
    masked[:, present == NO_NEGATIVE] = True
    if known is not None:
        flat = np.concatenate(known)
        owners = np.repeat(np.arange(len(known)), [len(part) for part in known])
        found = np.minimum(np.searchsorted(present, flat), len(present) - 1)
        hits = present[found] == flat
        masked[owners[hits], found[hits]] = True
    columns: Bool[np.ndarray, "rows columns"] = masked[:, place]
    columns[np.arange(len(rows)), np.arange(rows.start, rows.stop)] = False
    return columns
