"""The protocols in which the wings meet."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from spider.ranking import Hits


@runtime_checkable
class QuestionEncoder(Protocol):
    """Turns questions into vectors whose inner product with a passage's vector is its score."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode_questions(self, texts: Sequence[str]) -> Float32[np.ndarray, "texts dimension"]:
        """Encode questions (no title, no prefix)."""


@runtime_checkable
class PassageEncoder(Protocol):
    """Turns passages into vectors."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode_passages(
        self, titles: Sequence[str], texts: Sequence[str]
    ) -> Float32[np.ndarray, "texts dimension"]:
        """Encode passages, each as ``title [SEP] text``."""


@runtime_checkable
class Retriever(Protocol):
    """Ranks a corpus's passages for questions."""

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        """Return at most ``depth`` passages for each question, best first."""
