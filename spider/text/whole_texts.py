"""Tokenises whole texts with the tokenizers library, for tokenizers that look beyond a word.

Byte-level BPE joins a space to the word after it, and Unigram chooses pieces by a whole text's
score. So the tokens of a text are not those of its chunks, and no chunk can be cached.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import tokenizers
from jaxtyping import Int32, Int64


class WholeTexts(NamedTuple):
    """Tokens of texts, end to end, without special tokens.

    Attributes:
        ids: the tokens.
        offsets: where each text begins, and after the last one the total.
        starts: first code point of each token in its own text.
        ends: code point after its last.
    """

    ids: Int32[np.ndarray, " tokens"]
    offsets: Int64[np.ndarray, " texts_plus_one"]
    starts: Int32[np.ndarray, " tokens"]
    ends: Int32[np.ndarray, " tokens"]


def encode_whole(
    inner: tokenizers.Tokenizer, texts: Sequence[str], *, continued: bool = False
) -> WholeTexts:
    """Tokenise texts.

    Args:
        inner: without truncation and padding.
        texts: the texts.
        continued: tokenise each text as it is after a space; positions count without the space.
    """
    lead = " " if continued else ""
    encodings = inner.encode_batch(
        [lead + encodable(text) if text else "" for text in texts], add_special_tokens=False
    )
    lengths = np.fromiter((len(e) for e in encodings), np.int64, len(encodings))
    ids = np.fromiter(chain.from_iterable(e.ids for e in encodings), np.int32, int(lengths.sum()))
    flat = [span for encoding in encodings for span in encoding.offsets]
    spans = np.maximum(np.array(flat, dtype=np.int32).reshape(-1, 2) - len(lead), 0)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return WholeTexts(ids, offsets, spans[:, 0], spans[:, 1])


def joins_spaces(inner: tokenizers.Tokenizer) -> bool:
    """Return whether a word's tokens differ after a space (byte-level BPE without a prefix)."""
    one, other = (inner.encode(text, add_special_tokens=False).ids for text in ("word", " word"))
    return bool(one != other)


def encodable(text: str) -> str:
    """Replace lone surrogates, which have no UTF-8 form: the tokenizers library refuses them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
