"""A layer's keys and values: any sequence of calls against lists of tokens."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jamba_reader.ops.attention.key_value_memory import _LEAST_GROWTH, KeyValueMemory
from jamba_reader.ops.segments import Segments
from spider.errors import DataError

HEADS, SIZE = 2, 3


def empty(sequences: int, capacity: int = 0) -> KeyValueMemory:
    return KeyValueMemory.empty(
        sequences, HEADS, SIZE, dtype=torch.float32, device="cpu", capacity=capacity
    )


def append(memory: KeyValueMemory, tokens: Sequence[Sequence[int]]) -> KeyValueMemory:
    """Add tokens whose keys are their numbers and whose values are the numbers' negatives."""
    flat = torch.tensor([token for row in tokens for token in row], dtype=torch.float32)
    key = flat[:, None, None].expand(-1, HEADS, SIZE)
    with torch.no_grad():
        return memory.append(key, -key, Segments([len(row) for row in tokens]))


def held(memory: KeyValueMemory) -> list[list[int]]:
    """The tokens of each sequence, after a check that keys, values and heads agree."""
    found = []
    for sequence, length in enumerate(memory.lengths):
        keys, values = memory.keys[sequence, :, :length], memory.values[sequence, :, :length]
        assert torch.equal(keys, -values)
        assert (keys == keys[:1, :, :1]).all()
        found.append([int(number) for number in keys[0, :, 0]])
    assert memory.lengths_on("cpu").tolist() == memory.lengths
    return found


@settings(max_examples=60)
@given(st.data())
def test_any_calls_leave_what_lists_would_hold(data: st.DataObject) -> None:
    """Appending, forking, truncating, selecting and stacking; no memory disturbs another."""
    memories = [empty(2, capacity=data.draw(st.integers(0, 3)))]
    expected: list[list[list[int]]] = [[[], []]]
    fresh = iter(range(1, 10_000))
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(memories) - 1))
        memory, rows = memories[at], expected[at]
        action = data.draw(st.sampled_from(["append", "fork", "truncate", "select", "stack"]))
        if action == "append":
            counts = [data.draw(st.integers(0, 3)) for _ in rows]
            new = [[next(fresh) for _ in range(count)] for count in counts]
            memories[at] = append(memory, new)
            expected[at] = [old + more for old, more in zip(rows, new, strict=True)]
        elif action == "fork":
            memories.append(memory.fork())
            expected.append([list(row) for row in rows])
        elif action == "truncate":
            lengths = [data.draw(st.integers(0, len(row))) for row in rows]
            memory.truncate(lengths)
            expected[at] = [row[:length] for row, length in zip(rows, lengths, strict=True)]
        elif action == "select" and rows:
            places = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=3))
            memories.append(memory.select(places))
            expected.append([list(rows[place]) for place in places])
        elif action == "stack":
            memories.append(KeyValueMemory.stack([memory, memories[0]]))
            expected.append([list(row) for row in (*rows, *expected[0])])
        assert [held(memory) for memory in memories] == expected


def test_capacity_grows_by_half_and_never_shrinks() -> None:
    memory = append(empty(1), [[1]])
    assert memory.capacity == _LEAST_GROWTH
    memory = append(memory, [range(100)])
    assert memory.capacity == 101
    memory = append(memory, [[2]])
    assert memory.capacity == 151
    memory.reserve(200)
    assert memory.capacity == 200
    memory.reserve(3)
    assert memory.capacity == 200
    assert held(memory) == [[1, *range(100), 2]]


def test_appending_in_place_copies_no_earlier_token() -> None:
    memory = empty(2, capacity=10)
    place = memory.keys.data_ptr()
    for token in range(10):
        assert append(memory, [[token], [token]]) is memory
    assert memory.keys.data_ptr() == place


def test_of_two_forks_the_second_to_write_copies() -> None:
    memory = append(empty(1, capacity=5), [[1]])
    fork = memory.fork()
    assert fork.keys.data_ptr() == memory.keys.data_ptr()
    append(fork, [[2]])
    assert fork.keys.data_ptr() == memory.keys.data_ptr()
    append(memory, [[3]])
    assert fork.keys.data_ptr() != memory.keys.data_ptr()
    assert (held(fork), held(memory)) == ([[1, 2]], [[1, 3]])


def test_gradients_flow_into_earlier_tokens_until_they_are_detached() -> None:
    first = torch.ones(2, HEADS, SIZE, requires_grad=True)
    memory = empty(1).append(first, first, Segments([2]))
    second = torch.ones(1, HEADS, SIZE)
    longer = memory.append(second, second, Segments([1]))
    assert memory.lengths == [2]
    (gradient,) = torch.autograd.grad((2 * longer.keys).sum(), first)
    assert (gradient == 2).all()
    longer.detach()
    assert not longer.keys.requires_grad
    assert not longer.values.requires_grad


def test_bytes_are_those_of_keys_and_values() -> None:
    memory = append(empty(3, capacity=8), [[1, 2], [3], []])
    assert memory.bytes_of(8) == memory.keys.nbytes + memory.values.nbytes
    # a CPU gives memory when it is first written: three tokens of 3 x 8
    assert memory.held_bytes(8) == memory.bytes_of(8) * 3 // 24


def test_what_does_not_fit_is_refused() -> None:
    memory = append(empty(2), [[1, 2], [3]])
    with pytest.raises(DataError, match="1 segments for a memory of 2 sequences"):
        append(memory, [[4]])
    for lengths in ([2], [2, 2]):
        with pytest.raises(DataError, match=r"cannot truncate \[2, 1\] tokens"):
            memory.truncate(lengths)
    assert held(memory) == [[1, 2], [3]]
