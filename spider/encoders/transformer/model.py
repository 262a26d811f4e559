"""The module that ``bert`` trains: a transformer whose [CLS] state is the vector."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64, Integer
from torch import Tensor, nn
from transformers import PreTrainedModel

from spider.artifacts.records.encoder import EncoderRecord, MaximumLength
from spider.encoders.layers.padding import pad, padded_batches
from spider.encoders.transformer.checkpoint import save_transformer
from spider.text.token_batch import TokenBatch
from spider.text.tokenizer import Tokenizer

SPECIAL_TOKENS = 3
"""[CLS], the [SEP] after the title, and the [SEP] at the end."""
TITLE_SHARE = 4


class TrainableBert(nn.Module):
    """A transformer whose last-layer [CLS] state is the vector.

    Args:
        model: a transformers ``AutoModel``.
        tokenizer: saved with the checkpoint.
        max_query_length: tokens of a question or query, [CLS] and [SEP] included.
        max_passage_length: tokens of a passage, special tokens included.
        weight_decay: the weight decay of matrices; never of biases and layer norms.
        padded_tokens: a training sub-batch holds at most this many tokens, padding included.
        score_multiplier: the training logits are this times the inner product.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: Tokenizer,
        *,
        max_query_length: int,
        max_passage_length: int,
        weight_decay: float,
        padded_tokens: int,
        score_multiplier: float,
    ):
        super().__init__()
        self.model = model
        self.tokenizer = tokenizer
        self.max_query_length = max_query_length
        self.max_passage_length = max_passage_length
        self.weight_decay = weight_decay
        self.padded_tokens = padded_tokens
        self.dimension = int(self.model.config.hidden_size)
        self.score_multiplier = score_multiplier
        pooler = getattr(model, "pooler", None)
        if pooler is not None:
            # kept, so that the checkpoint loads without a warning, but the loss does not depend on
            # it
            pooler.requires_grad_(False)

    def query_ids(self, ids: Integer[np.ndarray, " _"]) -> Int64[np.ndarray, " _"]:
        """Return ``[CLS] query [SEP]``, cut to the maximum length."""
        return enclose(ids, self.tokenizer, self.max_query_length)

    def passage_ids(
        self, title_ids: Integer[np.ndarray, " _"], text_ids: Integer[np.ndarray, " _"]
    ) -> Int64[np.ndarray, " _"]:
        """Return ``[CLS] title [SEP] text [SEP]``, cut to the maximum length.

        Where both do not fit, the title keeps a quarter of the tokens, or what the text leaves.
        Otherwise a title of 300 words would fill the window, and all passages of its document
        would have one vector.
        """
        available = self.max_passage_length - SPECIAL_TOKENS
        title_ids = title_ids[: max(available // TITLE_SHARE, available - len(text_ids), 0)]
        if len(title_ids):
            text_ids = np.concatenate([title_ids, [self.tokenizer.sep_id], text_ids])
        return enclose(text_ids, self.tokenizer, self.max_passage_length)

    def encode_tokens(
        self, batch: TokenBatch, *, passages: bool
    ) -> Float32[Tensor, "texts dimension"]:
        """Encode texts in sub-batches of similar length, so that little of them is padding."""
        lengths = batch.lengths.cpu().numpy()
        groups = padded_batches(lengths, self.padded_tokens)
        device = next(self.model.parameters()).device
        vectors = [
            self.encode_padded(*pad(batch, group, self.tokenizer.pad_id, device))
            for group in groups
        ]
        order = np.concatenate(groups) if groups else np.zeros(0, np.int64)
        back = torch.from_numpy(np.argsort(order)).to(device)
        stacked = torch.cat(vectors) if vectors else torch.zeros(0, self.dimension, device=device)
        return stacked[back]

    def encode_padded(
        self, ids: Int64[Tensor, "texts length"], mask: Int64[Tensor, "texts length"]
    ) -> Float32[Tensor, "texts dimension"]:
        """Run the transformer on one padded batch; token types are its default, all zero.

        The caller decides the precision: Accelerate's autocast in training, that of
        ``BertEncoder`` in inference. An autocast here, even a disabled one, would replace it.
        """
        state: Tensor = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        return state[:, 0].float()

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return two groups: matrices with weight decay; biases and layer norms without it."""
        trained = [p for p in self.model.parameters() if p.requires_grad]
        return [
            {
                "params": [p for p in trained if (p.ndim >= 2) == matrices],
                "lr": learning_rate,
                "weight_decay": self.weight_decay if matrices else 0.0,
            }
            for matrices in (True, False)
        ]

    def export(self, folder: Path) -> EncoderRecord:
        """Write a checkpoint for transformers and sentence-transformers."""
        save_transformer(self.model, self.tokenizer, folder, self.max_passage_length)
        return EncoderRecord(
            dimension=self.dimension,
            similarity="dot",
            score_scale="raw",
            score_multiplier=self.score_multiplier,
            pooling="cls",
            max_length=MaximumLength(
                question=self.max_query_length, passage=self.max_passage_length
            ),
            casing="lower" if self.tokenizer.lower_case else "kept",
            passage_template="title [SEP] text",
        )


def enclose(
    ids: Integer[np.ndarray, " _"], tokenizer: Tokenizer, max_length: int
) -> Int64[np.ndarray, " _"]:
    """Put ``[CLS]`` before and ``[SEP]`` after at most ``max_length - 2`` tokens."""
    return np.concatenate(
        [[tokenizer.cls_id], ids[: max_length - 2], [tokenizer.sep_id]], dtype=np.int64
    )
