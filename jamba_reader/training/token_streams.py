"""Batches for truncated back-propagation: token streams that continue from step to step.

The training documents are concatenated, in an order that is shuffled again for each epoch. The
result is cut into ``batch_size`` streams of equal length. A step reads the next tokens of every
stream, so the state after one step is the state before the next. Every batch is a pure function of
its step.
"""

from functools import lru_cache
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int64, Integer
from torch import Tensor

from spider.errors import ConfigError, DataError


@runtime_checkable
class TokenSource(Protocol):
    """Documents as token ids.

    Attributes:
        lengths: number of tokens of each document, without special tokens.
        byte_counts: size of each document's text in UTF-8.
        begin_id: the token that begins a document.
        end_id: the token that ends a document.
    """

    lengths: Int64[np.ndarray, " documents"]
    byte_counts: Int64[np.ndarray, " documents"]
    begin_id: int
    end_id: int

    def document(self, number: int) -> Integer[np.ndarray, " tokens"]:
        """Return the tokens of a document, without special tokens."""


class Chunk(NamedTuple):
    """The tokens of one pass through the model: pieces of documents, ordered by stream.

    Attributes:
        tokens: the inputs.
        targets: the token that follows each input in its document.
        lengths: number of tokens of each piece.
        streams: the stream of each piece, ascending; every stream has at least one piece.
        continued: whether a piece continues from the state of its stream; otherwise it starts
            from an empty state.
    """

    tokens: Int64[Tensor, " tokens"]
    targets: Int64[Tensor, " tokens"]
    lengths: tuple[int, ...]
    streams: tuple[int, ...]
    continued: tuple[bool, ...]

    @property
    def last_pieces(self) -> list[int]:
        """The last piece of each stream: the next chunk continues from its state."""
        return list({stream: piece for piece, stream in enumerate(self.streams)}.values())


class LanguageModelBatch(NamedTuple):
    """The chunks of one step, in the order in which the states pass through them."""

    chunks: tuple[Chunk, ...]

    def to(self, device: torch.device) -> "LanguageModelBatch":
        """Copy the batch to ``device``."""
        return LanguageModelBatch(
            tuple(
                chunk._replace(tokens=chunk.tokens.to(device), targets=chunk.targets.to(device))
                for chunk in self.chunks
            )
        )

    @property
    def tokens(self) -> int:
        """Number of tokens in all chunks."""
        return sum(len(chunk.targets) for chunk in self.chunks)


class TokenStreams:
    """The training documents as ``batch_size`` parallel token streams.

    The inputs of a document are the begin token and its tokens; the targets are its tokens and the
    end token. So every input has a target, and no target belongs to another document. A stream that
    begins within a document starts there from an empty state. The tokens at the end of an epoch
    that do not fill a step are skipped in that epoch.

    Args:
        source: the tokenised documents.
        documents: numbers of the training documents.
        batch_size: number of streams that are read in parallel.
        chunk_tokens: tokens of a stream in one pass through the model.
        chunks_per_step: passes in a step; gradients flow through the states between them.
        seed: seed of the order of the documents.

    Raises:
        ConfigError: a number is below 1.
        DataError: the documents have fewer tokens than one step needs.
    """

    def __init__(
        self,
        source: TokenSource,
        documents: Int64[np.ndarray, " documents"],
        *,
        batch_size: int,
        chunk_tokens: int,
        chunks_per_step: int,
        seed: int,
    ):
        for name, value in (
            ("batch_size", batch_size),
            ("chunk_tokens", chunk_tokens),
            ("chunks_per_step", chunks_per_step),
        ):
            if value < 1:
                raise ConfigError(f"{name}={value}: expected at least 1")
        self._source = source
        self._documents = documents
        self._seed = seed
        self.batch_size = batch_size
        self.chunk_tokens = chunk_tokens
        self.chunks_per_step = chunks_per_step
        self._inputs = source.lengths[documents] + 1
        self.tokens = int(self._inputs.sum())
        self._step_tokens = chunk_tokens * chunks_per_step
        self.steps_per_epoch = self.tokens // self.tokens_per_step
        if not self.steps_per_epoch:
            raise DataError(
                f"{len(documents)} training documents have {self.tokens} tokens, one step needs "
                f"{self.tokens_per_step}; lower batch_size={batch_size}, "
                f"chunk_tokens={chunk_tokens} or chunks_per_step={chunks_per_step}"
            )
        self._epoch = lru_cache(maxsize=2)(self._shuffle)

    @property
    def tokens_per_step(self) -> int:
        """Number of tokens in a batch."""
        return self.batch_size * self._step_tokens

    def batch(self, step: int) -> LanguageModelBatch:
        """Return the batch of a step; steps are numbered from 0."""
        epoch, within = divmod(step, self.steps_per_epoch)
        length = self.steps_per_epoch * self._step_tokens
        begins = [stream * length + within * self._step_tokens for stream in range(self.batch_size)]
        return LanguageModelBatch(
            tuple(
                self._chunk(
                    epoch,
                    [begin + number * self.chunk_tokens for begin in begins],
                    continues=within + number > 0,
                )
                for number in range(self.chunks_per_step)
            )
        )

    def _shuffle(
        self, epoch: int
    ) -> tuple[Int64[np.ndarray, " documents"], Int64[np.ndarray, " documents_plus_one"]]:
        """Return the order of an epoch's documents, and where each begins in the joined text."""
        order = np.random.default_rng((self._seed, epoch)).permutation(len(self._documents))
        starts = np.zeros(len(order) + 1, dtype=np.int64)
        np.cumsum(self._inputs[order], out=starts[1:])
        return self._documents[order], starts

    def _chunk(self, epoch: int, begins: list[int], *, continues: bool) -> Chunk:
        order, starts = self._epoch(epoch)
        inputs, targets, streams, continued = [], [], [], []
        for stream, begin in enumerate(begins):
            place, end = begin, begin + self.chunk_tokens
            while place < end:
                number = int(np.searchsorted(starts, place, side="right")) - 1
                stop = min(end, int(starts[number + 1]))
                piece = slice(place - int(starts[number]), stop - int(starts[number]))
                ids = self._source.document(int(order[number]))
                inputs.append(_with_begin(ids, self._source.begin_id)[piece])
                targets.append(_with_end(ids, self._source.end_id)[piece])
                streams.append(stream)
                continued.append(continues and place == begin and piece.start > 0)
                place = stop
        return Chunk(
            torch.from_numpy(np.concatenate(inputs)),
            torch.from_numpy(np.concatenate(targets)),
            tuple(map(len, inputs)),
            tuple(streams),
            tuple(continued),
        )


def document_inputs(source: TokenSource, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs and the targets of a whole document, int64."""
    ids = source.document(number)
    return _with_begin(ids, source.begin_id), _with_end(ids, source.end_id)


def _with_begin(ids: np.ndarray, begin: int) -> Int64[np.ndarray, " inputs"]:
    return np.concatenate([np.array([begin], dtype=np.int64), ids.astype(np.int64)])


def _with_end(ids: np.ndarray, end: int) -> Int64[np.ndarray, " inputs"]:
    return np.concatenate([ids.astype(np.int64), np.array([end], dtype=np.int64)])
