"""The module that ``bert`` trains, and loading it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64, Integer
from torch import Tensor, nn
from transformers import PreTrainedModel

from spider.encoders.bert import VARIANT, BertSettings
from spider.encoders.bert_checkpoint import (
    new_transformer,
    pretrained_transformer,
    save_transformer,
)
from spider.encoders.bert_inference import BertEncoder
from spider.encoders.layers.padding import pad, padded_batches
from spider.errors import CheckpointError, ConfigError, SettingError
from spider.text.token_batch import TokenBatch
from spider.text.tokenizer import Tokenizer, load_tokenizer


class TrainableBert(nn.Module):
    """A transformer whose last-layer [CLS] state is the vector.

    Args:
        model: a transformers ``AutoModel``.
        tokenizer: goes into the checkpoint.
        settings: lengths, precision, score multiplier.
    """

    variant = VARIANT

    def __init__(self, model: PreTrainedModel, tokenizer: Tokenizer, settings: BertSettings):
        super().__init__()
        self.model = model
        self.tokenizer = tokenizer
        self.settings = settings
        self.dimension = int(self.model.config.hidden_size)
        self.score_multiplier = settings.score_multiplier
        pooler = getattr(model, "pooler", None)
        if pooler is not None:
            # kept, so that the checkpoint loads without a complaint, but it has no part in the loss
            pooler.requires_grad_(False)

    def query_ids(self, ids: Integer[np.ndarray, " _"]) -> Int64[np.ndarray, " _"]:
        """Return ``[CLS] query [SEP]``, cut to the maximum length."""
        return enclose(ids, self.tokenizer, self.settings.max_query_length)

    def passage_ids(
        self, title_ids: Integer[np.ndarray, " _"], text_ids: Integer[np.ndarray, " _"]
    ) -> Int64[np.ndarray, " _"]:
        """Return ``[CLS] title [SEP] text [SEP]``, cut to the maximum length."""
        if len(title_ids):
            text_ids = np.concatenate([title_ids, [self.tokenizer.sep_id], text_ids])
        return enclose(text_ids, self.tokenizer, self.settings.max_passage_length)

    def encode_tokens(
        self, batch: TokenBatch, *, passages: bool
    ) -> Float32[Tensor, "texts dimension"]:
        """Encode texts in sub-batches of similar length, so that little of them is padding."""
        lengths = batch.lengths.cpu().numpy()
        groups = padded_batches(lengths, self.settings.padded_tokens)
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
        """Run the transformer on one padded batch; token types are its default, all zero."""
        with torch.autocast(
            ids.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"
        ):
            state: Tensor = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        return state[:, 0].float()

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return matrices with weight decay, biases and layer norms without."""
        trained = [p for p in self.model.parameters() if p.requires_grad]
        return [
            {
                "params": [p for p in trained if (p.ndim >= 2) == matrices],
                "lr": learning_rate,
                "weight_decay": self.settings.weight_decay if matrices else 0.0,
            }
            for matrices in (True, False)
        ]

    def export(self, folder: Path) -> dict[str, Any]:
        """Write a checkpoint for transformers and sentence-transformers."""
        save_transformer(self.model, self.tokenizer, folder, self.settings.max_passage_length)
        return {
            "dimension": self.dimension,
            "similarity": "dot",
            "score_scale": "raw",
            "score_multiplier": self.score_multiplier,
            "pooling": "cls",
            "max_length": {
                "question": self.settings.max_query_length,
                "passage": self.settings.max_passage_length,
            },
            "casing": "lower" if self.tokenizer.lower_case else "kept",
            "passage_template": "title [SEP] text",
        }


def enclose(
    ids: Integer[np.ndarray, " _"], tokenizer: Tokenizer, max_length: int
) -> Int64[np.ndarray, " _"]:
    """Put ``[CLS]`` before and ``[SEP]`` after at most ``max_length - 2`` tokens."""
    return np.concatenate(
        [[tokenizer.cls_id], ids[: max_length - 2], [tokenizer.sep_id]], dtype=np.int64
    )


def new_bert(settings: BertSettings, tokenizer: Tokenizer, *, seed: int) -> TrainableBert:
    """Make a module to train; see :meth:`BertSettings.build`."""
    if settings.start:
        model = pretrained_transformer(settings.start, dropout=settings.dropout)
    else:
        model = new_transformer(
            vocabulary_size=tokenizer.vocabulary_size,
            hidden=settings.hidden,
            layers=settings.layers,
            heads=settings.heads,
            dropout=settings.dropout,
            pad_id=tokenizer.pad_id,
            seed=seed,
        )
    if model.config.vocab_size < tokenizer.vocabulary_size:
        raise ConfigError(
            f"the transformer knows {model.config.vocab_size} tokens, the tokenizer has "
            f"{tokenizer.vocabulary_size}; give architecture.start_tokenizer of the same model"
        )
    limit = getattr(model.config, "max_position_embeddings", settings.max_passage_length)
    for name in ("max_query_length", "max_passage_length"):
        length = getattr(settings, name)
        if length > limit:
            raise SettingError(name, length, f"at most {limit}, the limit of this transformer")
    return TrainableBert(model, tokenizer, settings)


def load_bert(folder: Path, details: Mapping[str, Any], device: str) -> BertEncoder:
    """Load an exported checkpoint; see :func:`spider.encoders.bert.load`."""
    lengths = details["max_length"]
    settings = BertSettings(
        max_query_length=int(lengths["question"]),
        max_passage_length=int(lengths["passage"]),
        dropout=0.0,
    )
    module = TrainableBert(pretrained_transformer(folder), load_tokenizer(folder), settings)
    if module.dimension != details["dimension"]:
        raise CheckpointError(
            f"{folder}: vectors have {module.dimension} numbers, the manifest says "
            f"{details['dimension']}"
        )
    return BertEncoder(module.to(device).eval())
