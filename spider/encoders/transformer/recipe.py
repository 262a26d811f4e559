"""VectorRecipe: how a text becomes a vector, apart from the transformer's weights.

It is read from a folder of sentence-transformers or a plain checkpoint, completed by settings, and
written back at export. A question and a passage may differ in prompt and length.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Pooling: TypeAlias = Literal["cls", "mean", "max", "mean_sqrt_len", "weighted_mean", "last_token"]
"""How the states of a text's tokens become one vector."""

TitleSeparator: TypeAlias = Literal["token", "space"]
"""What is between title and text: the tokenizer's separator token, or a space."""

TEMPLATES: dict[TitleSeparator, str] = {"token": "title [SEP] text", "space": "title text"}
"""The names of the templates in manifests."""

ACTIVATIONS = (
    "Identity", "Tanh", "ReLU", "GELU", "SiLU", "Sigmoid", "ELU", "Softplus", "Mish", "LeakyReLU",
)  # fmt: skip
"""Classes of ``torch.nn`` that may follow a dense layer."""

QUESTION_LENGTH = 64
PASSAGE_LENGTH = 240
"""The lengths of the paper, for checkpoints that do not say how their vectors are made."""


@dataclass(frozen=True, kw_only=True)
class Dense:
    """A linear layer on the pooled vector.

    Attributes:
        inputs: numbers that it takes.
        outputs: numbers that it gives.
        bias: whether it adds a bias.
        activation: the class in ``torch.nn`` that is applied after it.
        residual: whether its input (projected where the sizes differ) is added to its output.
    """

    inputs: int
    outputs: int
    bias: bool = True
    activation: str = "Tanh"
    residual: bool = False


@dataclass(frozen=True, kw_only=True)
class Normalize:
    """A division by the vector's length."""


@dataclass(frozen=True, kw_only=True)
class VectorRecipe:
    """How a text becomes a vector.

    Attributes:
        pooling: one vector for each of these, end to end.
        pools_prompt: whether the prompt's tokens take part in the pooling.
        steps: what follows the pooling, in order.
        similarity: how sentence-transformers compares the vectors. ``cosine`` divides them by their
            length, also where no step does, because everything here compares by inner product.
        question_prompt: the text before each question.
        passage_prompt: the text before each passage.
        max_question_length: tokens of a question, special tokens included.
        max_passage_length: tokens of a passage, special tokens included.
        title_separator: what is between title and text.
    """

    pooling: tuple[Pooling, ...] = ("cls",)
    pools_prompt: bool = True
    steps: tuple[Dense | Normalize, ...] = ()
    similarity: Literal["dot", "cosine"] = "dot"
    question_prompt: str = ""
    passage_prompt: str = ""
    max_question_length: int = QUESTION_LENGTH
    max_passage_length: int = PASSAGE_LENGTH
    title_separator: TitleSeparator = "token"

    @property
    def dense(self) -> tuple[Dense, ...]:
        """The dense layers among the steps."""
        return tuple(step for step in self.steps if isinstance(step, Dense))

    @property
    def unit(self) -> bool:
        """Whether every vector has length 1."""
        last = self.steps[-1] if self.steps else None
        return self.similarity == "cosine" or isinstance(last, Normalize)

    @property
    def description(self) -> str:
        """The pooling and its steps, for a manifest."""
        steps = [
            f"dense {step.inputs} to {step.outputs}" if isinstance(step, Dense) else "normalise"
            for step in self.steps
        ]
        return ", ".join(["+".join(self.pooling).replace("_", " "), *steps])

    def dimension(self, hidden: int) -> int:
        """Return the length of a vector.

        Args:
            hidden: the length of a token's state.
        """
        return self.dense[-1].outputs if self.dense else hidden * len(self.pooling)
