"""The token ids of every passage and title, with offsets, memory-mapped.

Training, validation and the spans' token ranges all read these ids, so one text has one
tokenisation. Shards hold a fixed number of passages, so a position gives its shard.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, Integer

from spider.artifacts.shards import run_shards
from spider.progress import Progress
from spider.text.token_shards import UINT16, TokenShards, number_ranges, write_token_shard
from spider.text.tokenizer import Tokenizer

SHARD_PASSAGES = 50_000
BLOCK = 2_000


@runtime_checkable
class TitledPassages(Protocol):
    """The part of a corpus that is tokenised: the passages' texts and the documents' titles."""

    @property
    def n_documents(self) -> int:
        """Number of documents."""

    def __len__(self) -> int:
        """Return the number of passages."""

    def texts(self, positions: range) -> list[str]:
        """Return the texts of passages."""

    def title(self, position: int) -> str:
        """Return the title of a passage's document."""

    def document_passages(self, number: int) -> range:
        """Return the positions of a document's passages."""


class TokenStore:
    """The token ids of all passages and titles, without special tokens.

    Attributes:
        passages: number of passages.
        mask_id: the mask token, for query transforms that mask.
    """

    def __init__(self, folder: Path, *, passages: int, mask_id: int, shard_size: int):
        self.passages = passages
        self.mask_id = mask_id
        self._passages = TokenShards(folder / "passages", shard_size=shard_size)
        self._titles = TokenShards(folder / "titles", shard_size=shard_size)

    def passage(self, position: int) -> Integer[np.ndarray, " tokens"]:
        """Return the ids of a passage's text."""
        return self._passages.tokens(position)

    def title(self, document: int) -> Integer[np.ndarray, " tokens"]:
        """Return the ids of a document's title."""
        return self._titles.tokens(document)

    def length(self, position: int) -> int:
        """Return the number of tokens of a passage's text."""
        return self._passages.length(position)

    def token_range(self, position: int, start: int, end: int) -> tuple[int, int]:
        """Return the tokens that cover code points ``start`` to ``end`` of a passage's text.

        Returns:
            A half-open range; empty where no token touches the code points.
        """
        first = int(self._passages.column("ends", position).searchsorted(start, side="right"))
        last = int(self._passages.column("starts", position).searchsorted(end, side="left"))
        return first, max(first, last)

    def inverse_passage_frequency(self) -> Float64[np.ndarray, " vocabulary"]:
        """Return ``log((passages + 1) / (passages with the token + 1))`` of each token."""
        shards = range(-(-self.passages // self._passages.shard_size))
        total = np.sum([self._passages.array("frequency", n) for n in shards], axis=0)
        return np.asarray(np.log((self.passages + 1.0) / (total + 1.0)), dtype=np.float64)


def build_token_store(
    corpus: TitledPassages, tokenizer: Tokenizer, folder: Path, *, shard_size: int = SHARD_PASSAGES
) -> TokenStore:
    """Tokenise a corpus into ``folder``; finished shards are kept.

    Ids take 2 bytes if the vocabulary is small enough, positions if the passages are short enough.
    """

    def titles(numbers: range) -> list[str]:
        return [
            corpus.title(corpus.document_passages(n)[0]) if corpus.document_passages(n) else ""
            for n in numbers
        ]

    with Progress(total=len(corpus), unit="passages", label="tokenise") as progress:
        run_shards(
            folder / "passages",
            number_ranges(len(corpus), shard_size),
            lambda task, target: _write(task, target, corpus.texts, tokenizer),
            on_done=lambda _, counts: progress.advance(counts["texts"]),
        )
    run_shards(
        folder / "titles",
        number_ranges(corpus.n_documents, shard_size),
        lambda task, target: _write(task, target, titles, tokenizer),
    )
    return TokenStore(
        folder, passages=len(corpus), mask_id=tokenizer.mask_id, shard_size=shard_size
    )


def _write(
    task: range, target: Path, read: Callable[[range], list[str]], tokenizer: Tokenizer
) -> dict[str, int]:
    blocks = [range(s, min(s + BLOCK, task.stop)) for s in range(task.start, task.stop, BLOCK)]
    parts = [tokenizer.encode_with_spans(read(block)) for block in blocks]
    ids = np.concatenate([part.ids for part in parts])
    lengths: np.ndarray = np.concatenate([np.diff(part.offsets) for part in parts])
    starts = np.concatenate([part.starts for part in parts])
    ends = np.concatenate([part.ends for part in parts])
    span_type = np.uint16 if ends.max(initial=0) < UINT16 else np.uint32
    # each (text, token) pair once: the number of texts that hold the token
    pairs = np.unique(np.repeat(np.arange(len(lengths)), lengths) << 32 | ids)
    frequency = np.bincount(pairs & (UINT16 * UINT16 - 1), minlength=tokenizer.vocabulary_size)
    write_token_shard(
        target,
        ids,
        lengths,
        vocabulary_size=tokenizer.vocabulary_size,
        columns={
            "starts": starts.astype(span_type),
            "ends": ends.astype(span_type),
            "frequency": frequency.astype(np.int64),
        },
    )
    return {"texts": len(lengths), "tokens": len(ids)}
