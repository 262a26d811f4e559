"""Encoding with a trained transformer."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from spider.encoders.encoding import EncodingSettings
from spider.encoders.layers.padding import pad
from spider.encoders.transformer.engine.precision import choose_on_cpu
from spider.encoders.transformer.engine.tower import EngineTower, engine_towers
from spider.encoders.transformer.model import TrainableBert
from spider.errors import CheckpointError
from spider.text.token_batch import TokenBatch, token_batch

LENGTH_STEP = 16
PADDED_TOKENS = {"cpu": 2_048, "cuda": 32_768}
"""Tokens of a batch. The last batch of a length is filled up to its shape, so a CPU, where each
token takes time, has small ones: one edited file may fill up one batch of each length."""
PRECISION = {"cuda": torch.float16}
"""The precision ``auto``; ``engine.precision`` chooses that of a CPU."""


class BertEncoder:
    """Inference with a transformer.

    On a CPU with AMX, the engine computes the encoders that it knows. Everything else goes through
    transformers. There every batch of passages has one of a few fixed shapes: a length that is a
    multiple of 16, and as many rows as the tokens of a batch allow; missing rows are filled up. A
    matrix product may round differently for another shape. In both ways, a passage's vector does
    not depend on the passages that are encoded with it.

    Args:
        module: the module, in evaluation mode, already on its device.
        encoding: the precision, and the tokens of a batch.
    """

    variant = "bert"

    def __init__(self, module: TrainableBert, encoding: EncodingSettings):
        self.module = module
        self.dimension = module.dimension
        self.device = next(iter(module.model.parameters())).device
        kind = self.device.type
        self.precision, self._towers = _choose(module, kind, encoding.precision)
        self._padded_tokens = encoding.padded_tokens or PADDED_TOKENS[kind]
        self._limit = module.longest_text

    def encode_questions(self, texts: Sequence[str]) -> Float32[np.ndarray, "texts dimension"]:
        """Encode questions: no title, and the prompt of questions if the encoder has one."""
        ids = self.module.question_texts.questions(texts)
        # a single question is not padded with empty rows, which would take time
        return self.encode_tokens(token_batch(ids), passages=False, filled=len(texts) > 1)

    def encode_passages(
        self, titles: Sequence[str], texts: Sequence[str]
    ) -> Float32[np.ndarray, "texts dimension"]:
        """Encode passages: title and text, joined as the encoder's recipe says."""
        ids = self.module.passage_texts.passages(titles, texts)
        return self.encode_tokens(token_batch(ids), passages=True, filled=True)

    def count_truncated(self, titles: Sequence[str], texts: Sequence[str]) -> int:
        """Count the passages of which the transformer does not read every token."""
        return self.module.passage_texts.truncated(titles, texts)

    @torch.inference_mode()
    def encode_tokens(
        self, batch: TokenBatch, *, passages: bool, filled: bool = True
    ) -> Float32[np.ndarray, "texts dimension"]:
        """Encode complete token ids.

        Args:
            batch: the texts.
            passages: whether the texts are passages.
            filled: whether missing rows of a batch are filled up.
        """
        if self._towers is not None:
            return self._finite(self._towers[passages].vectors(batch))
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
                found = self._run(*padded, passages=passages)
                vectors[texts] = found[: len(texts)].cpu().numpy()
        return self._finite(vectors)

    def _finite(
        self, vectors: Float32[np.ndarray, "texts dimension"]
    ) -> Float32[np.ndarray, "texts dimension"]:
        if not np.isfinite(vectors).all():
            # float16 ends at 65,504
            raise CheckpointError(
                f"the transformer gives vectors that are not finite in {self.precision}; give "
                "encoding.precision=float32, and train again if that does not help"
            )
        return vectors

    def _run(
        self,
        ids: Int64[Tensor, "texts length"],
        mask: Int64[Tensor, "texts length"],
        *,
        passages: bool,
    ) -> Float32[Tensor, "texts dimension"]:
        half = self.precision != torch.float32
        with torch.autocast(
            self.device.type, self.precision if half else torch.bfloat16, enabled=half
        ):
            return self.module.encode_padded(ids, mask, passages=passages)


def _choose(
    module: TrainableBert, kind: str, setting: str
) -> tuple[torch.dtype, dict[bool, EngineTower] | None]:
    """Return the precision, and the towers on the engine where it computes them."""
    if setting == "auto":
        return choose_on_cpu(module) if kind == "cpu" else (PRECISION[kind], None)
    precision: torch.dtype = getattr(torch, setting)
    return precision, engine_towers(module, precision) if kind == "cpu" else None
