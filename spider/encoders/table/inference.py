"""Encoding with a table of vectors, on the CPU."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from spider.encoders.layers.weighted_bag import bag_of_rows
from spider.text.tokenizer import Tokenizer

SMALLEST_NORM = 1e-12
"""The smallest divisor of torch's normalize and of sentence-transformers."""


class StaticEncoder:
    """Inference with a table whose rows carry their weights.

    Args:
        table: the vector of each token.
        tokenizer: the tokenizer of the same checkpoint.
    """

    variant = "static"

    def __init__(self, table: Float32[np.ndarray, "vocabulary dimension"], tokenizer: Tokenizer):
        self.table = table
        self.tokenizer = tokenizer

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.table.shape[1])

    def encode_questions(self, texts: Sequence[str]) -> Float32[np.ndarray, "texts dimension"]:
        """Encode questions; a text without tokens gives zeros."""
        ids, offsets = self.tokenizer.encode(texts)
        sums = bag_of_rows(self.table, ids, offsets)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        sums /= np.maximum(norms, SMALLEST_NORM)
        return sums

    def encode_passages(
        self, titles: Sequence[str], texts: Sequence[str]
    ) -> Float32[np.ndarray, "texts dimension"]:
        """Encode passages as ``title [SEP] text``; a vector depends only on its own passage."""
        return self.encode_questions(
            [join_passage(*pair) for pair in zip(titles, texts, strict=True)]
        )


def join_passage(title: str, text: str) -> str:
    """Return ``title [SEP] text``, without a title the text alone."""
    return f"{title} [SEP] {text}" if title else text
