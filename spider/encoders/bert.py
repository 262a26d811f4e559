"""The ``bert`` encoder: any BERT-like transformer, last-layer [CLS], raw inner product.

Source: Ram et al. 2022, section 4.2, and the released code: one shared tower, no pooler, no
projection, no normalisation, token types all zero, passages as ``[CLS] title [SEP] text [SEP]``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, Integer
from torch import Tensor, nn
from transformers import PreTrainedModel

from spider.encoders.bert_checkpoint import (
    new_transformer,
    pretrained_transformer,
    save_transformer,
)
from spider.encoders.bert_inference import BertEncoder
from spider.encoders.padding import pad, padded_batches
from spider.errors import CheckpointError, ConfigError
from spider.token_batch import TokenBatch
from spider.tokenizer import TOKENIZER_FILE, Tokenizer, load_tokenizer
from spider.vocabulary import train_tokenizer

VARIANT = "bert"


class BertSettings:
    """Settings of the ``bert`` encoder.

    Args:
        source: a name on the hub or a folder to start from; "" makes a fresh small transformer. A
            DPR checkpoint (``tau/spider``) is converted.
        tokenizer_source: "" takes the source's, or trains a vocabulary on the corpus when fresh.
        hidden: of a fresh transformer: length of a vector.
        layers: of a fresh transformer.
        heads: of a fresh transformer.
        vocabulary_size: of a fresh transformer: at most this many word pieces.
        lower_case: of a trained vocabulary or a ``vocab.txt``.
        max_query_length: tokens of a question or query, [CLS] and [SEP] included.
        max_passage_length: tokens of a passage, likewise.
        dropout: of hidden states and attention.
        weight_decay: of matrices; never of biases and layer norms.
        precision: "float32" or "bfloat16" (autocast; weights stay float32).
        padded_tokens: a training sub-batch holds at most this many tokens, padding included.
        score_multiplier: the training logits are this times the inner product.
    """

    variant = VARIANT

    def __init__(
        self,
        *,
        source: str = "",
        tokenizer_source: str = "",
        hidden: int = 256,
        layers: int = 4,
        heads: int = 4,
        vocabulary_size: int = 30_000,
        lower_case: bool = True,
        max_query_length: int = 64,
        max_passage_length: int = 240,
        dropout: float = 0.1,
        weight_decay: float = 0.0,
        precision: str = "float32",
        padded_tokens: int = 16_384,
        score_multiplier: float = 1.0,
    ):
        if precision not in ("float32", "bfloat16"):
            raise ConfigError(f"encoder.precision={precision!r}; expected float32 or bfloat16")
        if hidden % heads:
            raise ConfigError(f"encoder.hidden={hidden} is not a multiple of encoder.heads={heads}")
        if min(max_query_length, max_passage_length) < 3:
            raise ConfigError("encoder.max_query_length and max_passage_length must be at least 3")
        self.source = source
        self.tokenizer_source = tokenizer_source
        self.hidden = hidden
        self.layers = layers
        self.heads = heads
        self.vocabulary_size = vocabulary_size
        self.lower_case = lower_case
        self.max_query_length = max_query_length
        self.max_passage_length = max_passage_length
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.precision = precision
        self.padded_tokens = padded_tokens
        self.score_multiplier = score_multiplier

    @property
    def sources(self) -> tuple[str, ...]:
        """Where weights and vocabulary come from."""
        return (self.source, self.tokenizer_source)

    def tokenizer(self, corpus_texts: Iterable[str], folder: Path) -> Tokenizer:
        """Load the source's vocabulary, or train one; what ``folder`` already holds is kept."""
        source = self.tokenizer_source or self.source
        if (folder / TOKENIZER_FILE).is_file():
            return load_tokenizer(folder)
        if source:
            tokenizer = load_tokenizer(source, lower_case=self.lower_case)
        else:
            tokenizer = train_tokenizer(
                corpus_texts, vocabulary_size=self.vocabulary_size, lower_case=self.lower_case
            )
        tokenizer.save(folder)
        return tokenizer

    def build(
        self,
        tokenizer: Tokenizer,
        *,
        seed: int,
        idf: Float[np.ndarray, " vocabulary"] | None = None,
    ) -> "TrainableBert":
        """Make the module; ``seed`` counts for a fresh one, ``idf`` is not used."""
        if self.source:
            model = pretrained_transformer(self.source, dropout=self.dropout)
        else:
            model = new_transformer(
                vocabulary_size=tokenizer.vocabulary_size,
                hidden=self.hidden,
                layers=self.layers,
                heads=self.heads,
                dropout=self.dropout,
                pad_id=tokenizer.pad_id,
                seed=seed,
            )
        if model.config.vocab_size < tokenizer.vocabulary_size:
            raise ConfigError(
                f"the transformer knows {model.config.vocab_size} tokens, the tokenizer has "
                f"{tokenizer.vocabulary_size}; give encoder.tokenizer_source of the same model"
            )
        limit = getattr(model.config, "max_position_embeddings", self.max_passage_length)
        if max(self.max_passage_length, self.max_query_length) > limit:
            raise ConfigError(
                f"encoder.max_passage_length={self.max_passage_length}, but this transformer reads "
                f"at most {limit} tokens"
            )
        return TrainableBert(model, tokenizer, self)


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


def load(folder: Path, details: Mapping[str, Any], device: str = "cpu") -> BertEncoder:
    """Load an exported checkpoint for inference.

    Raises:
        CheckpointError: weights are missing, or have other shapes than the manifest says.
    """
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
