"""Documents as token streams: lanes that go on where the last step stopped.

All training documents stand end to end in an order shuffled anew for each epoch, and the stream is
cut into as many stretches as there are lanes. A step reads the next tokens of every lane, so that a
lane's state after one step is the state before the next. Every batch is a pure function of its
step.
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
        lengths: tokens of each document, without special tokens.
        byte_counts: bytes of each document's text in UTF-8.
        begin_id: the token that a document begins with.
        end_id: the token that it ends with.
    """

    lengths: Int64[np.ndarray, " documents"]
    byte_counts: Int64[np.ndarray, " documents"]
    begin_id: int
    end_id: int

    def document(self, number: int) -> Integer[np.ndarray, " tokens"]:
        """Return a document's tokens, without special tokens."""


class Chunk(NamedTuple):
    """The tokens of one pass through the model: pieces of documents, lane after lane.

    Attributes:
        tokens: inputs.
        targets: the token that follows each input in its document.
        lengths: tokens of each piece.
        lanes: the lane of each piece; every lane has at least one, and they are in order.
        continued: whether a piece goes on from its lane's state; else it begins with none.
    """

    tokens: Int64[Tensor, " tokens"]
    targets: Int64[Tensor, " tokens"]
    lengths: tuple[int, ...]
    lanes: tuple[int, ...]
    continued: tuple[bool, ...]

    @property
    def last_pieces(self) -> list[int]:
        """The piece whose state each lane goes on from."""
        return list({lane: piece for piece, lane in enumerate(self.lanes)}.values())


class LanguageModelBatch(NamedTuple):
    """The chunks of one step, in the order in which states pass through them."""

    chunks: tuple[Chunk, ...]

    def to(self, device: torch.device) -> "LanguageModelBatch":
        """Return the batch on ``device``."""
        return LanguageModelBatch(
            tuple(
                chunk._replace(tokens=chunk.tokens.to(device), targets=chunk.targets.to(device))
                for chunk in self.chunks
            )
        )

    @property
    def tokens(self) -> int:
        """Tokens of all chunks."""
        return sum(len(chunk.targets) for chunk in self.chunks)


class Lanes:
    """The training stream, read lane by lane and chunk by chunk.

    A document's inputs are the begin token and its tokens, their targets its tokens and the end
    token: every input has a target, and none crosses into another document. Where a lane's stretch
    begins within a document, it begins there without a state. The tokens at an epoch's end that
    fill no step in every lane wait for another epoch's order.

    Args:
        source: the documents.
        documents: numbers of those to train on.
        lanes: how many stretches are read side by side.
        chunk_tokens: tokens of a lane in one pass through the model.
        chunks_per_step: passes of a step; gradients flow through the states between them.
        seed: of the order of documents.

    Raises:
        ConfigError: a number is below 1.
        DataError: the documents have fewer tokens than one step takes.
    """

    def __init__(
        self,
        source: TokenSource,
        documents: Int64[np.ndarray, " documents"],
        *,
        lanes: int,
        chunk_tokens: int,
        chunks_per_step: int,
        seed: int,
    ):
        for name, value in (
            ("lanes", lanes),
            ("chunk_tokens", chunk_tokens),
            ("chunks_per_step", chunks_per_step),
        ):
            if value < 1:
                raise ConfigError(f"{name}={value}: expected at least 1")
        self._source = source
        self._documents = documents
        self._seed = seed
        self.lanes = lanes
        self.chunk_tokens = chunk_tokens
        self.chunks_per_step = chunks_per_step
        self._inputs = source.lengths[documents] + 1
        self.tokens = int(self._inputs.sum())
        self._step_tokens = chunk_tokens * chunks_per_step
        self.steps_per_epoch = self.tokens // self.tokens_per_step
        if not self.steps_per_epoch:
            raise DataError(
                f"{len(documents)} training documents have {self.tokens} tokens, one step takes "
                f"{self.tokens_per_step}; lower lanes={lanes}, chunk_tokens={chunk_tokens} or "
                f"chunks_per_step={chunks_per_step}"
            )
        self._epoch = lru_cache(maxsize=2)(self._shuffle)

    @property
    def tokens_per_step(self) -> int:
        """Tokens of a batch."""
        return self.lanes * self._step_tokens

    def batch(self, step: int) -> LanguageModelBatch:
        """Return the batch of a step, numbered from 0."""
        epoch, within = divmod(step, self.steps_per_epoch)
        stretch = self.steps_per_epoch * self._step_tokens
        begins = [lane * stretch + within * self._step_tokens for lane in range(self.lanes)]
        return LanguageModelBatch(
            tuple(
                self._chunk(
                    epoch,
                    [begin + number * self.chunk_tokens for begin in begins],
                    going_on=within + number > 0,
                )
                for number in range(self.chunks_per_step)
            )
        )

    def _shuffle(
        self, epoch: int
    ) -> tuple[Int64[np.ndarray, " documents"], Int64[np.ndarray, " documents_plus_one"]]:
        """Return an epoch's order of documents, and where each begins in the stream."""
        order = np.random.default_rng((self._seed, epoch)).permutation(len(self._documents))
        starts = np.zeros(len(order) + 1, dtype=np.int64)
        np.cumsum(self._inputs[order], out=starts[1:])
        return self._documents[order], starts

    def _chunk(self, epoch: int, begins: list[int], *, going_on: bool) -> Chunk:
        order, starts = self._epoch(epoch)
        inputs, targets, lanes, continued = [], [], [], []
        for lane, begin in enumerate(begins):
            place, end = begin, begin + self.chunk_tokens
            while place < end:
                number = int(np.searchsorted(starts, place, side="right")) - 1
                stop = min(end, int(starts[number + 1]))
                piece = slice(place - int(starts[number]), stop - int(starts[number]))
                ids = self._source.document(int(order[number]))
                inputs.append(_with_begin(ids, self._source.begin_id)[piece])
                targets.append(_with_end(ids, self._source.end_id)[piece])
                lanes.append(lane)
                continued.append(going_on and place == begin and piece.start > 0)
                place = stop
        return Chunk(
            torch.from_numpy(np.concatenate(inputs)),
            torch.from_numpy(np.concatenate(targets)),
            tuple(map(len, inputs)),
            tuple(lanes),
            tuple(continued),
        )


def document_inputs(source: TokenSource, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a whole document's inputs and targets, int64."""
    ids = source.document(number)
    return _with_begin(ids, source.begin_id), _with_end(ids, source.end_id)


def _with_begin(ids: np.ndarray, begin: int) -> Int64[np.ndarray, " inputs"]:
    return np.concatenate([np.array([begin], dtype=np.int64), ids.astype(np.int64)])


def _with_end(ids: np.ndarray, end: int) -> Int64[np.ndarray, " inputs"]:
    return np.concatenate([ids.astype(np.int64), np.array([end], dtype=np.int64)])
