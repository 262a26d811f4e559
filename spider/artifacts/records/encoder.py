"""The details of an ``encoder`` artifact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from spider.artifacts.record import DetailsRecord

WRITER = "train"


@dataclass(frozen=True, kw_only=True)
class MaximumLength(DetailsRecord):
    """Tokens of a text that an encoder reads, special tokens included.

    Attributes:
        question: the largest length of a question.
        passage: the largest length of a passage with its title.
    """

    question: int
    passage: int


@dataclass(frozen=True, kw_only=True)
class EncoderPrompts(DetailsRecord):
    """The texts that an encoder expects before others.

    Attributes:
        question: the text before each question.
        passage: the text before each passage.
    """

    question: str
    passage: str


@dataclass(frozen=True, kw_only=True)
class InterpolationRecord(DetailsRecord):
    """Where the weights are between those of the start and those after training.

    Attributes:
        coefficient: 0 is the start, 1 what was trained.
        chosen_by: ``setting``; ``validation``; or ``default`` where no query is held out.
        mean_reciprocal_rank: of the held-out queries, at each measured coefficient.
    """

    coefficient: float
    chosen_by: Literal["setting", "validation", "default"]
    mean_reciprocal_rank: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class EncoderTrainingRecord(DetailsRecord):
    """How an encoder was trained; without steps there are no pairs.

    Attributes:
        pairs: training pairs of each pairing.
        batch_size: pairs in a batch, over all processes.
        learning_rate: the peak learning rate.
        pairs_in_batch: pairs of each pairing in a batch.
        note: a sentence about the training for reports (too few pairs, say); may be empty.
        steps: updates.
        validation: the last measures on held-out queries.
        precision: bf16 where the matrix products of the updates were computed in bfloat16.
        interpolation: null where the start was no encoder of texts.
    """

    pairs: Mapping[str, int] | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    pairs_in_batch: Mapping[str, int] | None = None
    note: str | None = None
    steps: int
    validation: Mapping[str, Any]
    precision: str | None = None
    interpolation: InterpolationRecord | None = None


@dataclass(frozen=True, kw_only=True)
class QuestionTower(DetailsRecord):
    """The encoder of questions, where it is another one than that of passages.

    Attributes:
        variant: its file's name in ``spider/encoders/``.
        encoder: its details.
    """

    variant: str
    encoder: "EncoderRecord"


@dataclass(frozen=True, kw_only=True)
class EncoderRecord(DetailsRecord):
    """The manifest's details of an encoder.

    Attributes:
        dimension: length of a vector.
        similarity: how two vectors are compared: ``dot``.
        score_scale: ``unit`` where vectors have length 1, else ``raw``.
        score_multiplier: the training logits are this times the inner product.
        pooling: how token vectors become one vector.
        max_length: null where an encoder reads texts of any length.
        casing: ``lower`` or ``kept``.
        passage_template: how title and text are joined.
        training: how it was trained; null for an encoder that was not trained here.
        prompts: null where texts are encoded as they are.
        towers: ``two`` where questions have a transformer of their own, in ``question/``.
        question_tower: what encodes questions, in the sub-folder ``questions``; null where one
            encoder serves questions and passages.
    """

    KIND: ClassVar[str] = "encoder"
    PAYLOAD: ClassVar[tuple[str, ...]] = (
        "*.json", "*.jsonl", "*.txt", "*.md", "*.model", "*.safetensors", "[0-9]_*/**",
        "question/**", "questions/**", "passages/**",
        "tensorboard/**", "training/**",
    )  # fmt: skip

    dimension: int
    similarity: str
    score_scale: Literal["unit", "raw"]
    score_multiplier: float
    pooling: str
    max_length: MaximumLength | None
    casing: str
    passage_template: str
    training: EncoderTrainingRecord | None = None
    prompts: EncoderPrompts | None = None
    towers: Literal["two"] | None = None
    question_tower: QuestionTower | None = None
