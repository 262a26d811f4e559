"""The ``bert`` encoder: any transformer encoder, with its own pooling, normalisation and prompts.

A fresh transformer and a plain language model give the paper's vectors (Ram et al. 2022, section
4.2, and the released code): one shared tower, the raw [CLS] state of the last layer, no
projection, token types all zero, passages as ``[CLS] title [SEP] text [SEP]``. A folder of
sentence-transformers gives the vectors that it describes, and a pair of DPR has two towers.

The module is in :mod:`spider.encoders.transformer`, so that settings can be made without torch.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from spider.artifacts.records.encoder import EncoderRecord
from spider.encoders.encoding import EncodingSettings
from spider.encoders.transformer.recipe import Pooling, TitleSeparator
from spider.errors import CheckpointError, SettingError
from spider.settings import Execution
from spider.text.tokenizer import Tokenizer
from spider.text.vocabulary import settle_tokenizer

if TYPE_CHECKING:
    import spider.encoders.trainable
    import spider.encoders.transformer.inference
    import spider.encoders.transformer.model
    import spider.encoders.transformer.towers


class BertSettings:
    """Settings of the ``bert`` encoder.

    Args:
        start: a folder or a name on the hub whose weights training begins with; "" makes a new
            small transformer. Folders of sentence-transformers and plain checkpoints are read.
            ``all-MiniLM-L6-v2`` comes from the extra ``pretrained`` where that is installed.
        question_start: the encoder of questions, where ``start`` is that of passages alone (DPR).
        start_tokenizer: a folder, a file or a name on the hub; "" takes the tokenizer of
            ``start``, or trains a vocabulary on the corpus for a new transformer.
        pooling: how the states of a text's tokens become one vector; null takes what ``start``
            says, else cls.
        normalize: whether vectors are divided by their length; null takes what ``start`` says.
        question_prompt: the text before each question; null takes that of ``start``.
        passage_prompt: the text before each passage; null takes that of ``start``.
        title_separator: what is between title and text: the separator token or a space; null takes
            a space where ``start`` is an encoder of sentences, else the token.
        hidden: the length of a vector of a fresh transformer.
        layers: the number of layers of a fresh transformer.
        heads: the number of attention heads of a fresh transformer.
        vocabulary_size: the largest number of word pieces of a fresh transformer.
        lower_case: whether a trained vocabulary or a ``vocab.txt`` has lower case only.
        max_query_length: tokens of a question or query, special tokens included; null takes that
            of a ``start`` that is an encoder of sentences, else 64.
        max_passage_length: tokens of a passage, special tokens included; null takes that of a
            ``start`` that is an encoder of sentences, else 240.
        dropout: the dropout of hidden states and attention; null keeps that of a ``start`` that is
            a plain language model. It is 0 for a fresh transformer, which does not learn with 0.1,
            and for an encoder of sentences, whose few updates it makes 15 % slower.
        weight_decay: the weight decay of matrices; never of biases and layer norms.
        padded_tokens: a training sub-batch holds at most this many tokens, padding included.
        score_multiplier: the training logits are this times the inner product; null is 20 where
            vectors have length 1, else 1.
    """

    variant = "bert"
    mixed_precision = True

    def __init__(
        self,
        *,
        start: Execution[str] = "",
        question_start: Execution[str] = "",
        start_tokenizer: Execution[str] = "",
        pooling: Pooling | None = None,
        normalize: bool | None = None,
        question_prompt: str | None = None,
        passage_prompt: str | None = None,
        title_separator: TitleSeparator | None = None,
        hidden: int = 256,
        layers: int = 4,
        heads: int = 4,
        vocabulary_size: int = 30_000,
        lower_case: bool = True,
        max_query_length: int | None = None,
        max_passage_length: int | None = None,
        dropout: float | None = None,
        weight_decay: float = 0.0,
        padded_tokens: int = 16_384,
        score_multiplier: float | None = None,
    ):
        sizes = {"hidden": hidden, "layers": layers, "heads": heads, "padded_tokens": padded_tokens}
        for name, size in sizes.items():
            if size < 1:
                raise SettingError(name, size, "at least 1")
        if hidden % heads:
            raise SettingError("hidden", hidden, f"a multiple of heads={heads}")
        lengths = {"max_query_length": max_query_length, "max_passage_length": max_passage_length}
        for name, length in lengths.items():
            if length is not None and length < 3:
                raise SettingError(name, length, "at least 3: [CLS], a token and [SEP]")
        if dropout is not None and not 0 <= dropout < 1:
            raise SettingError("dropout", dropout, "a share in [0, 1), or null")
        if question_start and not start:
            raise SettingError("question_start", question_start, "a start of passages beside it")
        self.start = start
        self.question_start = question_start
        self.start_tokenizer = start_tokenizer
        self.pooling = pooling
        self.normalize = normalize
        self.question_prompt = question_prompt
        self.passage_prompt = passage_prompt
        self.title_separator = title_separator
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
        return (self.start, self.question_start, self.start_tokenizer)

    def adapts(self) -> bool:
        """Return whether the start is an encoder of texts and no plain language model."""
        from spider.encoders.transformer.towers import read_towers

        if not self.start:
            return False
        passages, questions = read_towers(self.start, self.question_start)
        return passages.states or questions is not None

    @property
    def learning_rate(self) -> float:
        """The paper's rate for trained weights; ten times as much for fresh ones.

        The rate of ``static``, 5e-3, makes a transformer give the same vector for every text.
        """
        return 2e-5 if self.start else 2e-4

    def check(self) -> None:
        """Refuse a start that cannot be used, before its weights are read.

        Raises:
            SpiderError: there is none, it is of an unknown kind, or it does not fit in memory.
        """
        from spider.encoders.start.weights_size import check_memory
        from spider.encoders.transformer.settling import settled_start, tokenizer_of

        towers = settled_start(self)
        check_memory([tower.transformer for tower in towers if tower is not None])
        tokenizer_of(towers, lower_case=self.lower_case)

    def tokenizer(self, corpus_texts: Iterable[str], folder: Path) -> Tokenizer:
        """Load the vocabulary of the start, or train one; a tokenizer in ``folder`` is kept.

        Raises:
            CheckpointError: the vectors of ``start`` cannot be computed. The weights are read only
                after a corpus is tokenised, which may take hours.
        """
        from spider.encoders.transformer.settling import (
            settled_start,
            tokenizer_of,
            warn_of_doubts,
        )

        source: str | Tokenizer = self.start_tokenizer
        if self.start:
            start = settled_start(self)
            warn_of_doubts(start, self)
            source = source or tokenizer_of(start, lower_case=self.lower_case)
        return settle_tokenizer(
            corpus_texts,
            folder,
            start=source,
            vocabulary_size=self.vocabulary_size,
            lower_case=self.lower_case,
            any_kind=True,
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
        from spider.encoders.transformer.building import fresh_encoder, pretrained_encoder
        from spider.encoders.transformer.settling import settled_start

        if self.start:
            return pretrained_encoder(settled_start(self), tokenizer, self)
        return fresh_encoder(tokenizer, self, seed=seed)

    def inference(
        self, module: "spider.encoders.trainable.TrainableEncoder"
    ) -> "spider.encoders.trainable.EncodeTokens":
        """Encode as a search does: on the engine where this machine has one for the module."""
        from spider.encoders.transformer.inference import BertEncoder
        from spider.encoders.transformer.model import TrainableBert

        if not isinstance(module, TrainableBert):
            raise CheckpointError(f"got a {type(module).__name__}, expected a transformer")
        return BertEncoder(module, EncodingSettings()).encode_tokens


def load(
    folder: Path,
    record: EncoderRecord,
    device: str = "cpu",
    encoding: EncodingSettings | None = None,
) -> "spider.encoders.transformer.inference.BertEncoder":
    """Load an exported checkpoint for inference.

    Args:
        folder: the checkpoint.
        record: what the manifest says of it.
        device: where it runs.
        encoding: how it encodes; None takes float32 on a CPU, whose vectors equal those of other
            libraries, and ``auto`` elsewhere.

    Raises:
        CheckpointError: weights are missing, or their shapes differ from the manifest's.
    """
    from spider.encoders.transformer.building import exported_encoder
    from spider.encoders.transformer.inference import BertEncoder

    module = exported_encoder(folder, record)
    if module.dimension != record.dimension:
        raise CheckpointError(
            f"{folder}: vectors have {module.dimension} numbers, the manifest says "
            f"{record.dimension}"
        )
    exact = EncodingSettings(precision="float32" if device == "cpu" else "auto")
    return BertEncoder(module.to(device).eval(), encoding or exact)
