"""Encoding with a trained transformer."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32, Int64, Integer
from torch import Tensor

from spider.encoders.layers.padding import pad
from spider.text.token_batch import TokenBatch, token_batch
from spider.text.tokenizer import Tokenizer

LENGTH_STEP = 16
ROWS = 32


@runtime_checkable
class PaddedEncoder(Protocol):
    """The part of ``TrainableBert`` that inference needs."""

    dimension: int
    tokenizer: Tokenizer
    model: Any

    def query_ids(self, ids: Integer[np.ndarray, " _"]) -> Int64[np.ndarray, " _"]:
        """Return complete ids."""

    def passage_ids(
        self, title_ids: Integer[np.ndarray, " _"], text_ids: Integer[np.ndarray, " _"]
    ) -> Int64[np.ndarray, " _"]:
        """Return complete ids."""

    def encode_padded(
        self, ids: Int64[Tensor, "texts length"], mask: Int64[Tensor, "texts length"]
    ) -> Float32[Tensor, "texts dimension"]:
        """Run the transformer on one padded batch."""


class BertEncoder:
    """Inference with a transformer.

    Every batch of passages has one of a few fixed shapes: 32 rows, and a length that is a multiple
    of 16; missing rows are filled up. A matrix product may round differently for another shape. So
    a passage's vector does not depend on the passages that are encoded with it.

    Args:
        module: the module, in evaluation mode, already on its device.
    """

    variant = "bert"

    def __init__(self, module: PaddedEncoder):
        self.module = module
        self.dimension = module.dimension
        self.device = next(iter(module.model.parameters())).device
        self._limit = getattr(module.model.config, "max_position_embeddings", None)

    def encode_questions(self, texts: Sequence[str]) -> Float32[np.ndarray, "texts dimension"]:
        """Encode questions (no title)."""
        tokens = self.module.tokenizer.encode(texts)
        ids = [self.module.query_ids(tokens.of(text)) for text in range(len(texts))]
        # a single question is not padded with 31 empty rows, which would take time
        return self._encode(token_batch(ids), rows=ROWS if len(texts) > 1 else 1)

    def encode_passages(
        self, titles: Sequence[str], texts: Sequence[str]
    ) -> Float32[np.ndarray, "texts dimension"]:
        """Encode passages as ``title [SEP] text``."""
        heads = self.module.tokenizer.encode(titles)
        bodies = self.module.tokenizer.encode(texts)
        ids = [
            self.module.passage_ids(heads.of(text), bodies.of(text)) for text in range(len(texts))
        ]
        return self._encode(token_batch(ids), rows=ROWS)

    @torch.inference_mode()
    def _encode(self, batch: TokenBatch, *, rows: int) -> Float32[np.ndarray, "texts dimension"]:
        lengths = batch.lengths.numpy()
        buckets = -(-lengths // LENGTH_STEP) * LENGTH_STEP
        if self._limit is not None:
            buckets = np.minimum(buckets, self._limit)
        vectors = np.empty((batch.n_texts, self.dimension), dtype=np.float32)
        for length in np.unique(buckets):
            members = np.flatnonzero(buckets == length)
            for start in range(0, len(members), ROWS):
                texts = members[start : start + ROWS]
                padded = pad(
                    batch,
                    texts,
                    self.module.tokenizer.pad_id,
                    self.device,
                    rows=rows,
                    length=int(length),
                )
                encoded = self.module.encode_padded(*padded)[: len(texts)]
                vectors[texts] = encoded.float().cpu().numpy()
        return vectors
