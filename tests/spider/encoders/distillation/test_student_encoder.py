from collections.abc import Sequence

import numpy as np

from spider.encoders.distillation.student_encoder import StudentEncoder
from spider.interfaces import PassageEncoder, QuestionEncoder


class Constant:
    """Gives each text the same vector."""

    dimension = 2

    def __init__(self, value: float):
        self.value = value

    def encode_questions(self, texts: Sequence[str]) -> np.ndarray:
        return np.full((len(texts), 2), self.value, np.float32)

    def encode_passages(self, titles: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        return self.encode_questions(texts)


def test_each_kind_of_text_goes_to_its_tower() -> None:
    encoder = StudentEncoder(Constant(1.0), Constant(2.0))
    assert isinstance(encoder, QuestionEncoder)
    assert isinstance(encoder, PassageEncoder)
    assert encoder.dimension == 2
    assert encoder.encode_questions(["a"]).tolist() == [[1.0, 1.0]]
    assert encoder.encode_passages(["", ""], ["a", "b"]).tolist() == [[2.0, 2.0]] * 2
