"""The tokenizers library with a cache: the tokens of every chunk that has occurred.

BERT's normaliser and pre-tokenizer treat every white-space separated chunk of a text separately, so
a text's tokens are the tokens of its chunks. It is the reference of the compiled scanner
(:mod:`spider.text.wordpiece.encoder`), and tokenises what that one cannot.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import tokenizers
from jaxtyping import Int32, Int64

from spider.text.whole_texts import encodable

REMEMBERED_CHUNKS = 1 << 18


class TokenSpans(NamedTuple):
    """Tokens, with the position of each in its text.

    Attributes:
        ids: without special tokens.
        offsets: where each text begins, and after the last one the total.
        starts: first code point of each token in its own text.
        ends: code point after its last.
    """

    ids: Int32[np.ndarray, " tokens"]
    offsets: Int64[np.ndarray, " texts_plus_one"]
    starts: Int32[np.ndarray, " tokens"]
    ends: Int32[np.ndarray, " tokens"]


class ChunkCache:
    """The tokens of chunks in flat arrays that grow. One thread may use it at a time.

    Args:
        inner: tokenises a chunk that has not occurred.
    """

    def __init__(self, inner: tokenizers.Tokenizer):
        self._inner = inner
        self._forget()

    def encode(self, texts: Sequence[str]) -> TokenSpans:
        """Turn texts into ids and the code points that each token covers."""
        chunks = [_split(text) for text in texts]
        tokens = self.tokens(list(chain.from_iterable(chunks)))
        counts = np.diff(tokens.offsets)
        bounds = np.cumsum([0, *map(len, chunks)])
        begins = np.repeat(_chunk_begins(chunks, bounds), counts)
        return tokens._replace(
            offsets=tokens.offsets[bounds],
            starts=tokens.starts + begins,
            ends=tokens.ends + begins,
        )

    def tokens(self, chunks: Sequence[str]) -> TokenSpans:
        """Return the tokens of chunks; positions count from the beginning of each."""
        codes = self._codes(chunks)
        begins = self._offsets[codes]
        counts = self._offsets[codes + 1] - begins
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        places = np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], counts)
        return TokenSpans(self._ids[places], offsets, self._starts[places], self._ends[places])

    def _codes(self, chunks: Sequence[str]) -> Int64[np.ndarray, " chunks"]:
        if len(self._known) > REMEMBERED_CHUNKS:
            self._forget()
        known = self._known
        # dict.fromkeys and not a set: the order of a set differs from run to run
        missing = list(dict.fromkeys(chunk for chunk in chunks if chunk not in known))
        if missing:
            self._add(missing, self._inner.encode_batch(missing, add_special_tokens=False))
        return np.fromiter(map(known.__getitem__, chunks), np.int64, len(chunks))

    def _forget(self) -> None:
        self._known: dict[str, int] = {}
        self._ids = np.zeros(0, np.int32)
        self._starts = np.zeros(0, np.int32)
        self._ends = np.zeros(0, np.int32)
        self._offsets = np.zeros(1, np.int64)

    def _add(self, chunks: Sequence[str], encodings: Sequence[tokenizers.Encoding]) -> None:
        for chunk in chunks:
            self._known[chunk] = len(self._known)
        ids = [encoding.ids for encoding in encodings]
        spans = [span for encoding in encodings for span in encoding.offsets]
        flat = np.array(spans, dtype=np.int32).reshape(-1, 2)
        self._ids = np.concatenate([self._ids, np.fromiter(chain.from_iterable(ids), np.int32)])
        self._starts = np.concatenate([self._starts, flat[:, 0]])
        self._ends = np.concatenate([self._ends, flat[:, 1]])
        lengths = np.fromiter(map(len, ids), np.int64, len(ids))
        self._offsets = np.concatenate([self._offsets, self._offsets[-1] + np.cumsum(lengths)])


def _split(text: str) -> list[str]:
    """Split at two of the characters that BERT's normaliser treats as white space."""
    return encodable(text).replace("\n", " ").split(" ")


def _chunk_begins(
    chunks: Sequence[Sequence[str]], bounds: Int64[np.ndarray, " texts_plus_one"]
) -> Int32[np.ndarray, " chunks"]:
    lengths = np.fromiter(map(len, chain.from_iterable(chunks)), np.int64) + 1
    ends = np.cumsum(lengths)
    text_starts = np.concatenate([np.zeros(1, np.int64), ends])[bounds[:-1]]
    owners = np.repeat(np.arange(len(chunks)), np.diff(bounds))
    begins: np.ndarray = (ends - lengths - text_starts[owners]).astype(np.int32)
    return begins
