from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.artifacts.shards import shard_folder
from spider.text.token_shards import TokenShards, number_ranges, write_token_shard


def write(folder: Path, texts: list[list[int]], *, shard_size: int, vocabulary_size: int) -> None:
    for shard, numbers in enumerate(number_ranges(len(texts), shard_size)):
        held = texts[numbers.start : numbers.stop]
        target = shard_folder(folder, shard)
        target.mkdir(parents=True)
        flat = np.array([token for text in held for token in text], dtype=np.int64)
        write_token_shard(
            target,
            flat,
            np.array([len(text) for text in held]),
            vocabulary_size=vocabulary_size,
            columns={"double": 2 * flat},
        )


def test_texts_and_columns_come_back_across_shards(tmp_path: Path) -> None:
    texts = [[1, 2, 3], [], [7], [], [5, 5]]
    write(tmp_path, texts, shard_size=2, vocabulary_size=100)
    shards = TokenShards(tmp_path, shard_size=2)
    assert [shards.tokens(n).tolist() for n in range(5)] == texts
    assert [shards.length(n) for n in range(5)] == [3, 0, 1, 0, 2]
    assert [shards.column("double", n).tolist() for n in range(5)] == [
        [2 * token for token in text] for text in texts
    ]
    assert shards.array("offsets", 0).tolist() == [0, 3, 3]


def test_a_shard_of_empty_texts_can_be_read(tmp_path: Path) -> None:
    write(tmp_path, [[], []], shard_size=2, vocabulary_size=100)
    assert TokenShards(tmp_path, shard_size=2).tokens(1).tolist() == []


@pytest.mark.parametrize(("size", "bytes_each"), [(1 << 16, 2), ((1 << 16) + 1, 4)])
def test_ids_take_two_bytes_where_the_vocabulary_allows(
    size: int, bytes_each: int, tmp_path: Path
) -> None:
    write(tmp_path, [[size - 1]], shard_size=1, vocabulary_size=size)
    tokens = TokenShards(tmp_path, shard_size=1).tokens(0)
    assert (tokens.dtype.itemsize, tokens.tolist()) == (bytes_each, [size - 1])


@given(st.integers(0, 50), st.integers(1, 10))
def test_ranges_hold_every_number_once(total: int, size: int) -> None:
    ranges = number_ranges(total, size)
    assert [number for numbers in ranges for number in numbers] == list(range(total))
    assert all(len(numbers) == size for numbers in ranges[:-1])
