"""The details of a ``reader`` artifact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from spider.artifacts.record import DetailsRecord

WRITER = "train-language-model"


@dataclass(frozen=True, kw_only=True)
class LanguageModelTrainingRecord(DetailsRecord):
    """How a language model was trained; empty where it was not.

    Attributes:
        steps: updates.
        tokens_per_step: tokens that a step reads.
        training_tokens: tokens of the training documents.
        epochs: how often they were read.
        validation_tokens: tokens of the validation documents that were read.
        validation: the last measures on them.
    """

    steps: int | None = None
    tokens_per_step: int | None = None
    training_tokens: int | None = None
    epochs: float | None = None
    validation_tokens: int | None = None
    validation: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class ReaderRecord(DetailsRecord):
    """The manifest's details of a reader.

    Attributes:
        training: how its language model was trained; null for one that was not trained here.
        quantization: which weights are int8; null if none are.
    """

    KIND: ClassVar[str] = "reader"
    PAYLOAD: ClassVar[tuple[str, ...]] = (
        "*.json",
        "*.jsonl",
        "*.md",
        "*.model",
        "*.jinja",
        "*.safetensors",
        "tensorboard/**",
    )

    training: LanguageModelTrainingRecord | None = None
    quantization: Mapping[str, Any] | None = None
