"""The ``bert`` encoder: any BERT-like transformer, last-layer [CLS], raw inner product.

Source: Ram et al. 2022, section 4.2, and the released code: one shared tower, no pooler, no
projection, no normalisation, token types all zero, passages as ``[CLS] title [SEP] text [SEP]``.

The module is in :mod:`spider.encoders.transformer`, so that settings can be made without torch.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from spider.artifacts.records.encoder import EncoderRecord
from spider.encoders.encoding import EncodingSettings
from spider.errors import CheckpointError, ConfigError, SettingError
from spider.settings import Execution
from spider.text.tokenizer import Tokenizer, load_tokenizer
from spider.text.vocabulary import settle_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    import spider.encoders.transformer.inference
    import spider.encoders.transformer.model


class BertSettings:
    """Settings of the ``bert`` encoder.

    Args:
        start: a folder or a name on the hub whose weights training begins with; "" makes a new
            small transformer. A DPR checkpoint (``tau/spider``) is converted.
        start_tokenizer: a folder, a file or a name on the hub; "" takes the tokenizer of
            ``start``, or trains a vocabulary on the corpus for a new transformer.
        hidden: the length of a vector of a fresh transformer.
        layers: the number of layers of a fresh transformer.
        heads: the number of attention heads of a fresh transformer.
        vocabulary_size: the largest number of word pieces of a fresh transformer.
        lower_case: whether a trained vocabulary or a ``vocab.txt`` has lower case only.
        max_query_length: tokens of a question or query, [CLS] and [SEP] included.
        max_passage_length: tokens of a passage, special tokens included.
        dropout: the dropout of hidden states and attention; null keeps that of ``start``, and is 0
            for a fresh transformer, which does not learn with 0.1.
        weight_decay: the weight decay of matrices; never of biases and layer norms.
        padded_tokens: a training sub-batch holds at most this many tokens, padding included.
        score_multiplier: the training logits are this times the inner product.
    """

    variant = "bert"
    mixed_precision = True

    def __init__(
        self,
        *,
        start: Execution[str] = "",
        start_tokenizer: Execution[str] = "",
        hidden: int = 256,
        layers: int = 4,
        heads: int = 4,
        vocabulary_size: int = 30_000,
        lower_case: bool = True,
        max_query_length: int = 64,
        max_passage_length: int = 240,
        dropout: float | None = None,
        weight_decay: float = 0.0,
        padded_tokens: int = 16_384,
        score_multiplier: float = 1.0,
    ):
        sizes = {"hidden": hidden, "layers": layers, "heads": heads, "padded_tokens": padded_tokens}
        for name, size in sizes.items():
            if size < 1:
                raise SettingError(name, size, "at least 1")
        if hidden % heads:
            raise SettingError("hidden", hidden, f"a multiple of heads={heads}")
        lengths = {"max_query_length": max_query_length, "max_passage_length": max_passage_length}
        for name, length in lengths.items():
            if length < 3:
                raise SettingError(name, length, "at least 3: [CLS], a token and [SEP]")
        if dropout is not None and not 0 <= dropout < 1:
            raise SettingError("dropout", dropout, "a share in [0, 1), or null")
        self.start = start
        self.start_tokenizer = start_tokenizer
        self.hidden = hidden
        self.layers = layers
        self.heads = heads
        self.vocabulary_size = vocabulary_size
        self.lower_case = lower_case
        self.max_query_length = max_query_length
        self.max_passage_length = max_passage_length
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.padded_tokens = padded_tokens
        self.score_multiplier = score_multiplier

    @property
    def starts(self) -> tuple[str, ...]:
        """The sources of weights and vocabulary."""
        return (self.start, self.start_tokenizer)

    @property
    def learning_rate(self) -> float:
        """The paper's rate for trained weights; ten times as much for fresh ones.

        The rate of ``static``, 5e-3, makes a transformer give the same vector for every text.
        """
        return 2e-5 if self.start else 2e-4

    def tokenizer(self, corpus_texts: Iterable[str], folder: Path) -> Tokenizer:
        """Load the vocabulary of the start, or train one; a tokenizer in ``folder`` is kept.

        Raises:
            CheckpointError: the vector of ``start`` is not the raw [CLS] state. The weights are
                read only after a corpus is tokenised, which may take hours.
        """
        from spider.encoders.transformer.pooling import check_pooling

        if self.start:
            check_pooling(self.start)
        return settle_tokenizer(
            corpus_texts,
            folder,
            start=self.start_tokenizer or self.start,
            vocabulary_size=self.vocabulary_size,
            lower_case=self.lower_case,
        )

    def build(
        self,
        tokenizer: Tokenizer,
        *,
        seed: int,
        idf: Float[np.ndarray, " vocabulary"] | None = None,
    ) -> "spider.encoders.transformer.model.TrainableBert":
        """Make the module; ``seed`` is used for a fresh one, ``idf`` is not used.

        Raises:
            ConfigError: the transformer is too small for the tokenizer or for a maximum length.
        """
        from spider.encoders.transformer.checkpoint import new_transformer, pretrained_transformer

        if self.start:
            model = pretrained_transformer(self.start, dropout=self.dropout)
        else:
            model = new_transformer(
                vocabulary_size=tokenizer.vocabulary_size,
                hidden=self.hidden,
                layers=self.layers,
                heads=self.heads,
                dropout=self.dropout or 0.0,
                pad_id=tokenizer.pad_id,
                seed=seed,
            )
        if model.config.vocab_size < tokenizer.vocabulary_size:
            raise ConfigError(
                f"the transformer knows {model.config.vocab_size} tokens, the tokenizer has "
                f"{tokenizer.vocabulary_size}; give architecture.start_tokenizer of the same model"
            )
        limit = getattr(model.config, "max_position_embeddings", self.max_passage_length)
        for name in ("max_query_length", "max_passage_length"):
            length = getattr(self, name)
            if length > limit:
                raise SettingError(name, length, f"at most {limit}, the limit of this transformer")
        return self._module(model, tokenizer)

    def _module(
        self, model: "PreTrainedModel", tokenizer: Tokenizer
    ) -> "spider.encoders.transformer.model.TrainableBert":
        from spider.encoders.transformer.model import TrainableBert

        return TrainableBert(
            model,
            tokenizer,
            max_query_length=self.max_query_length,
            max_passage_length=self.max_passage_length,
            weight_decay=self.weight_decay,
            padded_tokens=self.padded_tokens,
            score_multiplier=self.score_multiplier,
        )


def load(
    folder: Path,
    record: EncoderRecord,
    device: str = "cpu",
    encoding: EncodingSettings | None = None,
) -> "spider.encoders.transformer.inference.BertEncoder":
    """Load an exported checkpoint for inference.

    Raises:
        CheckpointError: weights are missing, or their shapes differ from the manifest's.
    """
    from spider.encoders.transformer.checkpoint import pretrained_transformer
    from spider.encoders.transformer.inference import BertEncoder

    lengths = record.max_length
    if lengths is None:
        raise CheckpointError(f"{folder}: the manifest names no maximum length; train it again")
    settings = BertSettings(
        max_query_length=lengths.question,
        max_passage_length=lengths.passage,
        dropout=0.0,
    )
    module = settings._module(pretrained_transformer(folder), load_tokenizer(folder))
    if module.dimension != record.dimension:
        raise CheckpointError(
            f"{folder}: vectors have {module.dimension} numbers, the manifest says "
            f"{record.dimension}"
        )
    return BertEncoder(module.to(device).eval(), encoding or EncodingSettings())
