"""Encoding with a student: questions by the transformer, passages by the table."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from spider.interfaces import PassageEncoder, QuestionEncoder


class StudentEncoder:
    """Inference with both towers.

    Args:
        questions: the teacher.
        passages: the table that was fitted to it.
    """

    variant = "student"

    def __init__(self, questions: QuestionEncoder, passages: PassageEncoder):
        self.questions = questions
        self.passages = passages

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self.passages.dimension

    def encode_questions(self, texts: Sequence[str]) -> Float32[np.ndarray, "texts dimension"]:
        """Encode questions with the teacher."""
        return self.questions.encode_questions(texts)

    def encode_passages(
        self, titles: Sequence[str], texts: Sequence[str]
    ) -> Float32[np.ndarray, "texts dimension"]:
        """Encode passages with the table; a passage is read whole, whatever its length."""
        return self.passages.encode_passages(titles, texts)
