"""Shards of token ids on disk, memory-mapped: every token store consists of them.

A shard holds the texts of one range of numbers. Its files are ``ids.npy`` (all tokens end to end),
``offsets.npy`` (where each text begins), and further columns of the store that wrote it.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Int64, Integer

from spider.artifacts.array_stream import open_array
from spider.artifacts.atomic_files import save_array
from spider.artifacts.shards import shard_folder

UINT16 = 1 << 16


class TokenShards:
    """Reads shards; a text's number gives its shard.

    Args:
        folder: the folder of the shards.
        shard_size: texts of a shard; the last one may hold fewer.
    """

    def __init__(self, folder: Path, *, shard_size: int):
        self.folder = folder
        self.shard_size = shard_size
        self._array = lru_cache(maxsize=None)(self._open)

    def tokens(self, text: int) -> Integer[np.ndarray, " tokens"]:
        """Return the ids of a text."""
        return self.column("ids", text)

    def length(self, text: int) -> int:
        """Return the number of tokens of a text."""
        shard, row = divmod(text, self.shard_size)
        offsets = self._array("offsets", shard)
        return int(offsets[row + 1] - offsets[row])

    def column(self, name: str, text: int) -> Integer[np.ndarray, " tokens"]:
        """Return a text's part of a column that has one number for each token."""
        shard, row = divmod(text, self.shard_size)
        offsets = self._array("offsets", shard)
        part: np.ndarray = self._array(name, shard)[offsets[row] : offsets[row + 1]]
        return part

    def array(self, name: str, shard: int) -> np.ndarray:
        """Return a whole column of one shard."""
        return self._array(name, shard)

    def _open(self, name: str, shard: int) -> np.ndarray:
        return open_array(shard_folder(self.folder, shard) / f"{name}.npy")


def write_token_shard(
    target: Path,
    ids: Integer[np.ndarray, " tokens"],
    lengths: Int64[np.ndarray, " texts"],
    *,
    vocabulary_size: int,
    columns: Mapping[str, np.ndarray],
) -> None:
    """Write a shard's files.

    Args:
        target: the shard's folder; it exists.
        ids: token ids of all texts, end to end; 2 bytes each where the vocabulary allows, else 4.
        lengths: number of tokens of each text.
        vocabulary_size: number of different ids.
        columns: further arrays, by name.
    """
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    id_type = np.uint16 if vocabulary_size <= UINT16 else np.uint32
    for name, array in {"ids": ids.astype(id_type), "offsets": offsets, **columns}.items():
        save_array(target / f"{name}.npy", array)


def number_ranges(total: int, size: int) -> list[range]:
    """Cut the numbers below ``total`` into ranges of ``size``; the last one may be shorter."""
    return [range(start, min(start + size, total)) for start in range(0, total, size)]
