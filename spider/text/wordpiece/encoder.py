"""Tokenising many texts with the compiled scanner, in several threads."""

import json
import threading
from collections.abc import Iterator, Sequence
from typing import no_type_check

import numpy as np
import tokenizers
from jaxtyping import Int32, Int64

from spider.compilation import njit
from spider.machine.row_threads import in_threads
from spider.text.whole_texts import encodable
from spider.text.wordpiece.characters import Characters
from spider.text.wordpiece.chunks import ChunkCache, TokenSpans
from spider.text.wordpiece.kernel import LINE_FEED, SPACE, Found, Rules, Texts, scan_texts
from spider.text.wordpiece.trie import build_short_pieces, build_trie

TEXTS_PER_TASK = 64
#: bytes of the texts that are tokenised together, so that a place fits an id of 4 bytes
BLOCK_BYTES = 1 << 26
SHORTEST_LIMIT = 4
"""Code points of a word: the fewest that the scanner can be told to stop at."""


class WordPieceEncoder:
    """Tokenises with the compiled scanner; the ids and offsets are the library's.

    Args:
        inner: a tokenizer for which :func:`is_representable` holds.
        cache: tokenises the chunks that the scanner cannot.
        lock: held while the cache, or the tables of characters, are used.
    """

    def __init__(self, inner: tokenizers.Tokenizer, cache: ChunkCache, lock: threading.Lock):
        settings = json.loads(inner.to_str())
        model = settings["model"]
        self._trie = build_trie(model["vocab"], model["continuing_subword_prefix"])
        self._short = build_short_pieces(model["vocab"])
        added = [token["content"].encode() for token in settings["added_tokens"]]
        begins = np.zeros(256, bool)
        begins[[token[0] for token in added]] = True
        self._rules = Rules(
            unknown=model["vocab"][model["unk_token"]],
            longest=model["max_input_chars_per_word"],
            added=np.frombuffer(b"".join(added), np.uint8),
            added_ends=np.cumsum([0, *map(len, added)]).astype(np.int64),
            begins_added=begins,
        )
        self._characters = Characters(inner)
        self._characters.tables.quick[begins] = 0
        self._cache = cache
        self._lock = lock

    def encode(self, texts: Sequence[str], *, spans: bool) -> TokenSpans:
        """Turn texts into ids.

        Args:
            texts: any number of texts.
            spans: also find the code points that each token covers; else these arrays are empty.
        """
        parts = [self._encode(block, spans=spans) for block in _blocks(texts)]
        if len(parts) == 1:
            return parts[0]
        before = np.cumsum([0, *(part.offsets[-1] for part in parts)])
        offsets = [part.offsets[1:] + n for part, n in zip(parts, before[:-1], strict=True)]
        return TokenSpans(
            np.concatenate([part.ids for part in parts]),
            np.concatenate([np.zeros(1, np.int64), *offsets]),
            np.concatenate([part.starts for part in parts]),
            np.concatenate([part.ends for part in parts]),
        )

    def _encode(self, parts: list[bytes], *, spans: bool) -> TokenSpans:
        whole = b"".join(parts)
        tables = self._characters.tables
        data = Texts(
            np.frombuffer(whole, np.uint8),
            np.cumsum([0, *map(len, parts)]).astype(np.int64),
        )
        capacity = len(whole) if spans else 0
        found = Found(
            np.empty(len(whole), np.int32),
            np.empty(capacity, np.int32),
            np.empty(capacity, np.int32),
            np.empty(len(parts), np.int64),
        )
        in_threads(
            len(parts),
            lambda first, last: scan_texts(
                tables, self._trie, self._short, self._rules, data, found, range(first, last)
            ),
            at_least=TEXTS_PER_TASK,
        )
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(found.counts)])
        tokens = TokenSpans(
            _without_gaps(found.ids, data.offsets, offsets),
            offsets,
            _without_gaps(found.starts, data.offsets, offsets) if spans else found.starts,
            _without_gaps(found.ends, data.offsets, offsets) if spans else found.ends,
        )
        places = np.flatnonzero(tokens.ids < 0)
        if not len(places):
            return tokens
        texts = np.searchsorted(tokens.offsets, places, side="right")
        begins = ~tokens.ids[places].astype(np.int64)
        ends = _chunk_ends(data.data, begins, data.offsets[texts])
        bounds = zip(begins.tolist(), ends.tolist(), strict=True)
        chunks = [whole[a:b].decode() for a, b in bounds]
        with self._lock:
            self._characters.learn(chunks)
            resolved = self._cache.tokens(chunks)
        return _insert(tokens, places, resolved, spans=spans)


def is_representable(inner: tokenizers.Tokenizer) -> bool:
    """Say whether the scanner gives a tokenizer's tokens."""
    settings = json.loads(inner.to_str())
    model = settings["model"]
    return (
        (settings["normalizer"] or {}).get("type") == "BertNormalizer"
        and (settings["pre_tokenizer"] or {}).get("type") == "BertPreTokenizer"
        and model["type"] == "WordPiece"
        and model["unk_token"] in model["vocab"]
        and model["max_input_chars_per_word"] >= SHORTEST_LIMIT
        and all(token["content"] and not token["normalized"] for token in settings["added_tokens"])
    )


def _blocks(texts: Sequence[str]) -> Iterator[list[bytes]]:
    """Yield the texts in UTF-8, in lists of limited size; at least one list."""
    block: list[bytes] = []
    size = 0
    for text in texts:
        data = encodable(text).encode()
        if block and size + len(data) > BLOCK_BYTES:
            yield block
            block, size = [], 0
        block.append(data)
        size += len(data)
    yield block


def _without_gaps(
    column: Int32[np.ndarray, " bytes"],
    begins: Int64[np.ndarray, " texts_plus_one"],
    offsets: Int64[np.ndarray, " texts_plus_one"],
) -> Int32[np.ndarray, " tokens"]:
    """Copy the tokens of each text from where the text begins to where its tokens do."""
    result: np.ndarray = np.empty(offsets[-1], column.dtype)
    in_threads(
        len(offsets) - 1,
        lambda first, last: _move(column, begins, offsets, result, first, last),
        at_least=TEXTS_PER_TASK,
    )
    return result


def _insert(
    tokens: TokenSpans, places: Int64[np.ndarray, " chunks"], chunks: TokenSpans, *, spans: bool
) -> TokenSpans:
    """Replace the token at each place by the tokens of a chunk."""
    counts = np.diff(chunks.offsets)
    sizes = np.ones(len(tokens.ids), np.int64)
    sizes[places] = counts
    bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    kept = np.ones(len(tokens.ids), bool)
    kept[places] = False
    old = bounds[:-1][kept]
    new = np.arange(len(chunks.ids)) + np.repeat(bounds[places] - chunks.offsets[:-1], counts)

    def column(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        result = np.empty(bounds[-1], np.int32)
        result[old] = ours[kept]
        result[new] = theirs
        return result

    result = tokens._replace(ids=column(tokens.ids, chunks.ids), offsets=bounds[tokens.offsets])
    if not spans:
        return result
    begins = np.repeat(tokens.starts[places], counts)
    return result._replace(
        starts=column(tokens.starts, chunks.starts + begins),
        ends=column(tokens.ends, chunks.ends + begins),
    )


@njit(nogil=True)
@no_type_check
def _move(column, begins, offsets, result, first, last):
    for text in range(first, last):
        begin = begins[text] - offsets[text]
        for place in range(offsets[text], offsets[text + 1]):
            result[place] = column[begin + place]


@njit(nogil=True)
@no_type_check
def _chunk_ends(data, begins, limits):
    ends = begins.copy()
    for chunk in range(len(begins)):
        while (
            ends[chunk] < limits[chunk]
            and data[ends[chunk]] != SPACE
            and data[ends[chunk]] != LINE_FEED
        ):
            ends[chunk] += 1
    return ends
