"""Encoding with a trained transformer."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32, Int64, Integer
from torch import Tensor

from spider.encoders.encoding import EncodingSettings
from spider.encoders.layers.padding import pad
from spider.errors import CheckpointError
from spider.text.token_batch import TokenBatch, token_batch
from spider.text.tokenizer import Tokenizer

LENGTH_STEP = 16
PADDED_TOKENS = {"cpu": 2_048, "cuda": 32_768}
"""Tokens of a batch. The last batch of a length is filled up to its shape, so a CPU, where each
token takes time, has small ones: one edited file may fill up one batch of each length."""
PRECISION = {"cpu": "float32", "cuda": "float16"}
"""The precision ``auto``."""


@runtime_checkable
class PaddedEncoder(Protocol):
    """The part of ``TrainableBert`` that inference needs."""

    dimension: int
    tokenizer: Tokenizer
    model: Any
    max_passage_length: int

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

    Every batch of passages has one of a few fixed shapes: a length that is a multiple of 16, and
    as many rows as the tokens of a batch allow; missing rows are filled up. A matrix product may
    round differently for another shape. So a passage's vector does not depend on the passages that
    are encoded with it.

    Args:
        module: the module, in evaluation mode, already on its device.
        encoding: the precision, and the tokens of a batch.
    """

    variant = "bert"

    def __init__(self, module: PaddedEncoder, encoding: EncodingSettings):
        self.module = module
        self.dimension = module.dimension
        self.device = next(iter(module.model.parameters())).device
        kind = self.device.type
        precision = PRECISION[kind] if encoding.precision == "auto" else encoding.precision
        self.precision: torch.dtype = getattr(torch, precision)
        self._padded_tokens = encoding.padded_tokens or PADDED_TOKENS[kind]
        self._limit = getattr(module.model.config, "max_position_embeddings", None)

    def encode_questions(self, texts: Sequence[str]) -> Float32[np.ndarray, "texts dimension"]:
        """Encode questions (no title)."""
        tokens = self.module.tokenizer.encode(texts)
        ids = [self.module.query_ids(tokens.of(text)) for text in range(len(texts))]
        # a single question is not padded with empty rows, which would take time
        return self._encode(token_batch(ids), filled=len(texts) > 1)

    def encode_passages(
        self, titles: Sequence[str], texts: Sequence[str]
    ) -> Float32[np.ndarray, "texts dimension"]:
        """Encode passages as ``title [SEP] text``."""
        heads = self.module.tokenizer.encode(titles)
        bodies = self.module.tokenizer.encode(texts)
        ids = [
            self.module.passage_ids(heads.of(text), bodies.of(text)) for text in range(len(texts))
        ]
        return self._encode(token_batch(ids), filled=True)

    def count_truncated(self, titles: Sequence[str], texts: Sequence[str]) -> int:
        """Count the passages of which the transformer does not read every token."""
        heads = np.diff(self.module.tokenizer.encode(titles).offsets)
        bodies = np.diff(self.module.tokenizer.encode(texts).offsets)
        lengths = heads + bodies + np.where(heads > 0, 3, 2)
        return int((lengths > self.module.max_passage_length).sum())

    @torch.inference_mode()
    def _encode(self, batch: TokenBatch, *, filled: bool) -> Float32[np.ndarray, "texts dimension"]:
        lengths = batch.lengths.numpy()
        buckets = -(-lengths // LENGTH_STEP) * LENGTH_STEP
        if self._limit is not None:
            buckets = np.minimum(buckets, self._limit)
        vectors = np.empty((batch.n_texts, self.dimension), dtype=np.float32)
        for length in np.unique(buckets):
            members = np.flatnonzero(buckets == length)
            rows = max(1, self._padded_tokens // int(length))
            for start in range(0, len(members), rows):
                texts = members[start : start + rows]
                padded = pad(
                    batch,
                    texts,
                    self.module.tokenizer.pad_id,
                    self.device,
                    rows=rows if filled else len(texts),
                    length=int(length),
                )
                vectors[texts] = self._run(*padded)[: len(texts)].cpu().numpy()
        if not np.isfinite(vectors).all():
            # float16 ends at 65,504
            raise CheckpointError(
                f"the transformer gives vectors that are not finite in {self.precision}; give "
                "encoding.precision=float32, and train again if that does not help"
            )
        return vectors

    def _run(
        self, ids: Int64[Tensor, "texts length"], mask: Int64[Tensor, "texts length"]
    ) -> Float32[Tensor, "texts dimension"]:
        half = self.precision != torch.float32
        with torch.autocast(
            self.device.type, self.precision if half else torch.bfloat16, enabled=half
        ):
            return self.module.encode_padded(ids, mask)
