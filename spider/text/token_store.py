"""Every passage and title tokenised once, with offsets, memory-mapped.

Training, validation and the spans' token ranges all read these ids, so one text has one
tokenisation. Built in shards of a fixed number of passages, so that a position names its shard.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, Integer

from spider.artifacts.atomic_files import save_array
from spider.artifacts.shards import run_shards, shard_folder
from spider.corpus.corpus import Corpus
from spider.progress import Progress
from spider.text.tokenizer import Tokenizer

SHARD_PASSAGES = 50_000
BLOCK = 2_000
UINT16 = 1 << 16


class Shard(NamedTuple):
    """One shard's arrays; text ``i`` is ``ids[offsets[i]:offsets[i + 1]]``."""

    ids: np.ndarray
    offsets: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


class TokenStore:
    """The token ids of all passages and titles, without special tokens.

    Attributes:
        passages: number of passages.
        mask_id: the mask token, for query transforms that mask.
    """

    def __init__(self, folder: Path, *, passages: int, mask_id: int, shard_size: int):
        self.folder = folder
        self.passages = passages
        self.mask_id = mask_id
        self._shard_size = shard_size
        self._passage_shard = lru_cache(maxsize=None)(lambda n: _open(folder / "passages", n))
        self._title_shard = lru_cache(maxsize=None)(lambda n: _open(folder / "titles", n))

    def passage(self, position: int) -> Integer[np.ndarray, " tokens"]:
        """Return the ids of a passage's text."""
        number, row = divmod(position, self._shard_size)
        shard: Shard = self._passage_shard(number)
        return shard.ids[shard.offsets[row] : shard.offsets[row + 1]]

    def title(self, document: int) -> Integer[np.ndarray, " tokens"]:
        """Return the ids of a document's title."""
        number, row = divmod(document, self._shard_size)
        shard: Shard = self._title_shard(number)
        return shard.ids[shard.offsets[row] : shard.offsets[row + 1]]

    def length(self, position: int) -> int:
        """Return the number of tokens of a passage's text."""
        number, row = divmod(position, self._shard_size)
        shard: Shard = self._passage_shard(number)
        return int(shard.offsets[row + 1] - shard.offsets[row])

    def token_range(self, position: int, start: int, end: int) -> tuple[int, int]:
        """Return the tokens that cover code points ``start`` to ``end`` of a passage's text.

        Returns:
            A half-open range; empty where no token touches the code points.
        """
        number, row = divmod(position, self._shard_size)
        shard: Shard = self._passage_shard(number)
        bounds = slice(shard.offsets[row], shard.offsets[row + 1])
        first = int(shard.ends[bounds].searchsorted(start, side="right"))
        last = int(shard.starts[bounds].searchsorted(end, side="left"))
        return first, max(first, last)

    def inverse_passage_frequency(self) -> Float64[np.ndarray, " vocabulary"]:
        """Return ``log((passages + 1) / (passages with the token + 1))`` of each token."""
        shards = range(-(-self.passages // self._shard_size))
        paths = [shard_folder(self.folder / "passages", n) / "frequency.npy" for n in shards]
        total = np.sum([np.load(path, allow_pickle=False) for path in paths], axis=0)
        return np.asarray(np.log((self.passages + 1.0) / (total + 1.0)), dtype=np.float64)


def build_token_store(
    corpus: Corpus, tokenizer: Tokenizer, folder: Path, *, shard_size: int = SHARD_PASSAGES
) -> TokenStore:
    """Tokenise a corpus into ``folder``; shards that are there already are kept.

    Ids take 2 bytes where the vocabulary allows, offsets 2 where the passages do.
    """
    id_type = "uint16" if tokenizer.vocabulary_size <= UINT16 else "uint32"

    def titles(numbers: range) -> list[str]:
        return [
            corpus.title(corpus.document_passages(n)[0]) if corpus.document_passages(n) else ""
            for n in numbers
        ]

    with Progress(total=len(corpus), unit="passages", label="tokenise") as progress:
        run_shards(
            folder / "passages",
            _ranges(len(corpus), shard_size),
            lambda task, target: _write(task, target, corpus.texts, tokenizer, id_type),
            on_done=lambda _, counts: progress.advance(counts["texts"]),
        )
    run_shards(
        folder / "titles",
        _ranges(corpus.n_documents, shard_size),
        lambda task, target: _write(task, target, titles, tokenizer, id_type),
    )
    return TokenStore(
        folder, passages=len(corpus), mask_id=tokenizer.mask_id, shard_size=shard_size
    )


def _ranges(total: int, size: int) -> list[range]:
    return [range(start, min(start + size, total)) for start in range(0, total, size)]


def _write(
    task: range,
    target: Path,
    read: Callable[[range], list[str]],
    tokenizer: Tokenizer,
    id_type: str,
) -> dict[str, int]:
    parts = [tokenizer.encode_with_spans(read(block)) for block in _blocks(task)]
    ids = np.concatenate([part.ids for part in parts])
    lengths: Int64[np.ndarray, " texts"] = np.concatenate([np.diff(part.offsets) for part in parts])
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    ends = np.concatenate([part.ends for part in parts])
    span_type = np.uint16 if ends.max(initial=0) < UINT16 else np.uint32
    # each (text, token) pair once: the number of texts that hold the token
    pairs = np.unique(np.repeat(np.arange(len(lengths)), lengths) << 32 | ids)
    frequency = np.bincount(pairs & (UINT16 * UINT16 - 1), minlength=tokenizer.vocabulary_size)
    save_array(target / "ids.npy", ids.astype(id_type))
    save_array(target / "offsets.npy", offsets)
    save_array(
        target / "starts.npy", np.concatenate([part.starts for part in parts]).astype(span_type)
    )
    save_array(target / "ends.npy", ends.astype(span_type))
    save_array(target / "frequency.npy", frequency.astype(np.int64))
    return {"texts": len(lengths), "tokens": len(ids)}


def _blocks(task: range) -> list[range]:
    return [range(s, min(s + BLOCK, task.stop)) for s in range(task.start, task.stop, BLOCK)]


def _open(folder: Path, number: int) -> Shard:
    shard = shard_folder(folder, number)
    return Shard(
        *(
            np.load(shard / f"{name}.npy", mmap_mode="r", allow_pickle=False).view(np.ndarray)
            for name in Shard._fields
        )
    )
