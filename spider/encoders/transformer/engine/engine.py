"""Engine: vectors of many texts on all threads, block by block."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64

from spider.encoders.transformer.engine.amx.encoder import AmxEncoder, ThreadBuffers
from spider.encoders.transformer.engine.blocks import blocks_of
from spider.encoders.transformer.engine.weights import read_weights, supports
from spider.errors import CheckpointError
from spider.kernels.processor import has_tiles
from spider.text.token_batch import TokenBatch

BLOCK_TOKENS = 512
"""Tokens that go through all layers together."""

Pool = Callable[
    [Float32[np.ndarray, "tokens hidden"], Int64[np.ndarray, " texts_plus_one"]],
    Float32[np.ndarray, "texts pooled"],
]
"""Makes vectors of the states of some texts, end to end; called in several threads."""

_PLANES = {torch.float32: 2, torch.bfloat16: 1}


def can_run(model: Any, precision: torch.dtype) -> bool:
    """Return whether the engine computes this model in this precision on this machine."""
    device = next(iter(model.parameters())).device
    return device.type == "cpu" and precision in _PLANES and has_tiles() and supports(model)


class Engine:
    """Inference of a BERT-like encoder on a CPU with AMX.

    A text's states do not depend on the texts that are encoded with it, bit for bit: every sum is
    one chain of additions over the inner dimension, and there is no padding.

    Args:
        model: a transformers model that :func:`can_run` accepts; its weights are copied.
        precision: float32 computes products of float32 numbers, each split into two bfloat16;
            bfloat16 rounds the operands of every product. Sums, softmax and normalisation are
            float32 in both.
        pad_id: stands for a text without tokens.
        block_tokens: tokens of a block.
    """

    def __init__(
        self,
        model: Any,
        precision: torch.dtype,
        *,
        pad_id: int,
        block_tokens: int = BLOCK_TOKENS,
    ):
        if not can_run(model, precision):
            # without this question to the system, the first tile instruction ends the process
            raise ValueError(f"{type(model).__name__} in {precision}: ask can_run first")
        self.weights = read_weights(model)
        self.precision = precision
        self._encoder = AmxEncoder(self.weights, _PLANES[precision])
        self._pad_id = pad_id
        self._block_tokens = block_tokens
        self._free: SimpleQueue[ThreadBuffers] = SimpleQueue()

    def states(self, batch: TokenBatch) -> Float32[np.ndarray, "tokens hidden"]:
        """Return the last states of all tokens; texts without tokens have none."""
        offsets = batch.offsets.numpy()
        states = np.empty((int(offsets[-1]), self.weights.hidden), dtype=np.float32)

        def keep(texts: Int64[np.ndarray, " texts"], found: Any, bounds: Any) -> None:
            for number, text in enumerate(texts):
                size = offsets[text + 1] - offsets[text]
                start = bounds[number]
                states[offsets[text] : offsets[text + 1]] = found[start : start + size]

        self._run(batch, keep)
        return states

    def vectors(
        self, batch: TokenBatch, pool: Pool, width: int
    ) -> Float32[np.ndarray, "texts pooled"]:
        """Return one vector for each text.

        Args:
            batch: complete token ids.
            pool: makes the vectors of a block's texts.
            width: numbers of a vector.
        """
        vectors = np.empty((batch.n_texts, width), dtype=np.float32)

        def keep(texts: Int64[np.ndarray, " texts"], states: Any, bounds: Any) -> None:
            vectors[texts] = pool(states, bounds)

        self._run(batch, keep)
        return vectors

    def _run(self, batch: TokenBatch, keep: Callable[[Any, Any, Any], None]) -> None:
        ids, offsets = batch.ids.numpy(), batch.offsets.numpy()
        self._check(ids, offsets)
        lengths = np.maximum(np.diff(offsets), 1)
        threads = torch.get_num_threads()
        # a few texts are shared by all threads
        budget = min(self._block_tokens, -(-int(lengths.sum()) // threads))
        alone = batch.n_texts == 1
        blocks = [np.zeros(1, np.int64)] if alone else blocks_of(lengths, budget)

        def work(texts: Int64[np.ndarray, " texts"]) -> None:
            some, bounds = self._gather(ids, offsets, texts)
            buffers = self._buffers(len(some), int(np.diff(bounds).max()))
            try:
                positions = self._positions(some, bounds)
                keep(texts, self._encoder.run(buffers, some, positions, bounds), bounds)
            finally:
                self._free.put(buffers)

        if threads == 1 or len(blocks) <= 1:
            for block in blocks:
                work(block)
            return
        with ThreadPoolExecutor(min(threads, len(blocks))) as pool:
            for _ in pool.map(work, blocks):
                pass

    def _check(
        self, ids: Int64[np.ndarray, " tokens"], offsets: Int64[np.ndarray, " texts_plus_one"]
    ) -> None:
        """Refuse what would read beyond a table."""
        words, longest = len(self.weights.words), self.weights.longest
        if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < words:
            raise CheckpointError(
                f"a token has id {int(ids.max())}, the transformer has {words} word embeddings: "
                "tokenizer and model do not belong together"
            )
        if len(offsets) > 1 and int(np.diff(offsets).max()) > longest:
            raise CheckpointError(
                f"a text has {int(np.diff(offsets).max())} tokens, the transformer has "
                f"{longest} positions; lower its maximum length"
            )

    def _gather(
        self,
        ids: Int64[np.ndarray, " tokens"],
        offsets: Int64[np.ndarray, " texts_plus_one"],
        texts: Int64[np.ndarray, " texts"],
    ) -> tuple[Int64[np.ndarray, " some"], Int64[np.ndarray, " bounds"]]:
        parts = [ids[offsets[text] : offsets[text + 1]] for text in texts]
        parts = [part if len(part) else np.array([self._pad_id], dtype=np.int64) for part in parts]
        bounds = np.zeros(len(parts) + 1, dtype=np.int64)
        np.cumsum([len(part) for part in parts], out=bounds[1:])
        gathered: Int64[np.ndarray, " some"] = np.concatenate(parts)
        return gathered, bounds

    def _positions(
        self, ids: Int64[np.ndarray, " tokens"], bounds: Int64[np.ndarray, " texts_plus_one"]
    ) -> Int64[np.ndarray, " tokens"]:
        lengths = np.diff(bounds)
        padding = self.weights.padding_id
        if padding is None:
            places: Int64[np.ndarray, " tokens"]
            places = np.arange(len(ids)) - np.repeat(bounds[:-1], lengths)
            return places
        counted = ids != padding
        before = np.concatenate([[0], np.cumsum(counted)])
        found: Int64[np.ndarray, " tokens"]
        found = padding + (before[1:] - np.repeat(before[bounds[:-1]], lengths)) * counted
        return found

    def _buffers(self, tokens: int, longest: int) -> ThreadBuffers:
        """Take buffers that are large enough, or make them."""
        try:
            buffers = self._free.get_nowait()
        except Empty:
            buffers = None
        if buffers is None or buffers.rows < tokens or buffers.longest < longest:
            rows = max(tokens, self._block_tokens)
            buffers = self._encoder.buffers(rows, max(longest, min(rows, self.weights.longest)))
        return buffers
