"""The protocols of an encoder in training: settings that build it, and the module."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float32, Integer
from torch import Tensor

from spider.artifacts.records.encoder import EncoderRecord
from spider.text.token_batch import TokenBatch
from spider.text.tokenizer import Tokenizer


@runtime_checkable
class TrainableEncoder(Protocol):
    """A ``torch.nn.Module`` shared by questions (or queries) and passages.

    Attributes:
        dimension: length of a vector.
        score_multiplier: the training logits are this times the inner product: 20 if vectors have
            unit length, else 1.
        tokenizer: turns texts into the ids that ``query_ids`` and ``passage_ids`` join.
    """

    dimension: int
    score_multiplier: float
    tokenizer: Tokenizer

    def query_ids(self, ids: Integer[np.ndarray, " _"]) -> Integer[np.ndarray, " _"]:
        """Return a query's complete token ids: special tokens added, cut to the maximum."""

    def passage_ids(
        self, title_ids: Integer[np.ndarray, " _"], text_ids: Integer[np.ndarray, " _"]
    ) -> Integer[np.ndarray, " _"]:
        """Return a passage's complete ids: ``title [SEP] text``, without a title the text alone."""

    def encode_tokens(
        self, batch: TokenBatch, *, passages: bool
    ) -> Float[Tensor, "texts dimension"]:
        """Encode complete token ids (as ``query_ids``/``passage_ids`` join them), differentiably.

        Args:
            batch: the texts.
            passages: whether the texts are passages; the present variants have one tower for both,
                and a variant with two towers needs this.
        """

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return the optimiser's parameter groups, each with its ``lr`` and ``weight_decay``."""

    def export(self, folder: Path) -> EncoderRecord:
        """Write the inference checkpoint into a folder that exists.

        Returns:
            The details for the manifest, without the training.
        """


@runtime_checkable
class EncoderSettings(Protocol):
    """A configured variant: ``conf/architecture/<variant>.yaml``.

    Attributes:
        variant: its file's name in ``spider/encoders/``.
        learning_rate: the peak learning rate where ``training.learning_rate`` is null.
        mixed_precision: whether ``training.precision`` changes anything.
        starts: the folders, files or names on the hub that training begins with; "" is none.
    """

    variant: str
    mixed_precision: bool

    @property
    def learning_rate(self) -> float:
        """The peak learning rate that suits the initial weights."""

    @property
    def starts(self) -> tuple[str, ...]:
        """The sources of weights and vocabulary."""

    def adapts(self) -> bool:
        """Return whether the start gives useful vectors already, which training can make worse.

        It reads the start, so it is no property: a check of the protocol reads properties.
        """

    def tokenizer(self, corpus_texts: Iterable[str], folder: Path) -> Tokenizer:
        """Train a vocabulary on texts, or load the configured one; saved in ``folder``.

        A tokenizer that an interrupted run saved in ``folder`` is loaded again.
        """

    def build(
        self,
        tokenizer: Tokenizer,
        *,
        seed: int,
        idf: Float[np.ndarray, " vocabulary"] | None = None,
    ) -> TrainableEncoder:
        """Make the module.

        Args:
            tokenizer: what ``tokenizer`` returned.
            seed: decides the initial weights.
            idf: inverse passage frequency of each token, ≥ 0; a variant may start from it.
        """


@runtime_checkable
class EncodeTokens(Protocol):
    """Encodes complete token ids, without gradients."""

    def __call__(
        self, batch: TokenBatch, *, passages: bool
    ) -> Float32[np.ndarray, "texts dimension"]:
        """Return the vectors."""


@runtime_checkable
class FastInference(Protocol):
    """Settings of a variant whose inference is faster than a training module's forward pass."""

    def inference(self, module: TrainableEncoder) -> EncodeTokens:
        """Return a function that encodes with the module's present weights.

        It may be less exact than the module, as ``encoding.precision=auto`` is.
        """
