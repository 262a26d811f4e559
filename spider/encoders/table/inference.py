"""Encoding with a table of vectors, on the CPU."""

from collections.abc import Sequence
from typing import no_type_check

import numpy as np
from jaxtyping import Float32, Int64

from spider.compilation import njit
from spider.encoders.layers.weighted_bag import ROWS_PER_TASK, bag_of_rows
from spider.machine.row_threads import in_threads
from spider.text.tokenizer import Tokenizer, Tokens

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
        return self._encode(self.tokenizer.encode(texts))

    def encode_passages(
        self, titles: Sequence[str], texts: Sequence[str]
    ) -> Float32[np.ndarray, "texts dimension"]:
        """Encode passages as ``title [SEP] text``; a vector depends only on its own passage."""
        return self._encode(passage_tokens(self.tokenizer, titles, texts))

    def _encode(self, tokens: Tokens) -> Float32[np.ndarray, "texts dimension"]:
        sums = bag_of_rows(self.table, tokens.ids, tokens.offsets)

        def normalise(first: int, last: int) -> None:
            rows = sums[first:last]
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), SMALLEST_NORM)

        in_threads(len(sums), normalise, at_least=ROWS_PER_TASK)
        return sums


def passage_tokens(tokenizer: Tokenizer, titles: Sequence[str], texts: Sequence[str]) -> Tokens:
    """Return the tokens of ``title [SEP] text``, without a title those of the text alone."""
    # a document's passages have one title
    numbers = {title: number for number, title in enumerate(dict.fromkeys(titles))}
    heads = tokenizer.encode([f"{title} [SEP]" if title else "" for title in numbers])
    owners = np.fromiter(map(numbers.__getitem__, titles), np.int64, len(titles))
    return join_tokens(heads, owners, tokenizer.encode(texts))


def join_tokens(heads: Tokens, owners: Int64[np.ndarray, " texts"], texts: Tokens) -> Tokens:
    """Put the tokens of a head before those of each text.

    Args:
        heads: tokens of the heads.
        owners: the number of each text's head.
        texts: tokens of the texts.
    """
    counts = np.diff(heads.offsets)[owners] + np.diff(texts.offsets)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    return Tokens(_join(*heads, owners, *texts, offsets), offsets)


@njit(nogil=True)
@no_type_check
def _join(head_ids, head_offsets, owners, ids, offsets, result_offsets):
    result = np.empty(result_offsets[-1], np.int32)
    place = 0
    for text in range(len(owners)):
        for token in range(head_offsets[owners[text]], head_offsets[owners[text] + 1]):
            result[place] = head_ids[token]
            place += 1
        for token in range(offsets[text], offsets[text + 1]):
            result[place] = ids[token]
            place += 1
    return result
