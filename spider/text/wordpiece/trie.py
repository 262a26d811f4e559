"""The pieces of a vocabulary as a trie over bytes, in a hash table.

Two roots: words begin at :data:`FIRST`, and the rest of a word continues at :data:`REST`. So the
longest piece is found in one walk, with one look-up for each byte of it.

Most words of a text are a piece of at most 8 bytes. These pieces are also in a table by their
bytes, as one number: one look-up finds such a word.
"""

from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Int32, Int64, UInt64

from spider.compilation import njit

FIRST, REST = 0, 1
EMPTY = -1
SHORT = 8
"""Bytes of a number."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Trie(NamedTuple):
    """A trie.

    Attributes:
        steps: for each slot, the node and the byte (upper half) and the node that follows.
        pieces: the id of the piece that ends at each node; -1 where none ends.
        shift: 64 less the logarithm of the number of slots.
    """

    steps: Int64[np.ndarray, " slots"]
    pieces: Int32[np.ndarray, " nodes"]
    shift: int


class ShortPieces(NamedTuple):
    """The pieces of 1 to 8 bytes with which a word may begin.

    Attributes:
        keys: for each slot, the bytes of a piece, the first one lowest; 0 where there is none.
        ids: the id of the piece.
        shift: 64 less the logarithm of the number of slots.
    """

    keys: UInt64[np.ndarray, " slots"]
    ids: Int32[np.ndarray, " slots"]
    shift: int


def build_short_pieces(vocabulary: dict[str, int]) -> ShortPieces:
    """Make the table of a vocabulary's short pieces."""
    encoded = ((piece.encode(), number) for piece, number in vocabulary.items())
    short = [
        (int.from_bytes(piece, "little"), number)
        for piece, number in encoded
        if 0 < len(piece) <= SHORT and 0 not in piece
    ]
    bits = _bits(len(short))
    keys, ids = _place(
        np.array([key for key, _ in short], np.uint64),
        np.array([number for _, number in short], np.int32),
        bits,
    )
    return ShortPieces(keys, ids, 64 - bits)


def build_trie(vocabulary: dict[str, int], prefix: str) -> Trie:
    """Make the trie of a vocabulary.

    Args:
        vocabulary: the id of each piece.
        prefix: marks a piece that continues a word.
    """
    entries = [(FIRST, piece.encode(), number) for piece, number in vocabulary.items()]
    mark = prefix.encode()
    entries += [(REST, piece[len(mark) :], n) for _, piece, n in entries if piece.startswith(mark)]
    entries = [entry for entry in entries if entry[1]]
    ends = np.cumsum([0, *(len(piece) for _, piece, _ in entries)]).astype(np.int64)
    nodes, pieces = _insert(
        np.frombuffer(b"".join(piece for _, piece, _ in entries), np.uint8),
        ends,
        np.array([root for root, _, _ in entries], np.int64),
        np.array([number for _, _, number in entries], np.int32),
        _bits(int(ends[-1])),
    )
    # a third of the bytes are nodes of their own: a table that fits the processor's cache
    bits = _bits(len(pieces))
    return Trie(_rehash(nodes, bits), pieces, 64 - bits)


def _bits(entries: int) -> int:
    """Return the logarithm of a number of slots of which the entries fill at most half."""
    return max(8, (2 * entries).bit_length())


@njit(nogil=True, inline="always")
@no_type_check
def follow(steps, shift, node, byte):
    """Return the slot of a step; ``steps[slot]`` is negative where there is no such step."""
    key = (np.int64(node) << 8) | np.int64(byte)
    slot = np.int64((np.uint64(key) * _GOLDEN) >> np.uint64(shift))
    while steps[slot] >= 0 and (steps[slot] >> 32) != key:
        slot = (slot + 1) & (len(steps) - 1)
    return slot


@njit(nogil=True, inline="always")
@no_type_check
def short_slot(keys, shift, key):
    """Return the slot of a short word; ``keys[slot]`` is 0 where it is no piece."""
    slot = np.int64((key * _GOLDEN) >> np.uint64(shift))
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & (len(keys) - 1)
    return slot


@njit(nogil=True)
@no_type_check
def _place(keys, ids, bits):
    slots = np.zeros(1 << bits, np.uint64)
    values = np.zeros(1 << bits, np.int32)
    for entry in range(len(keys)):
        slot = short_slot(slots, 64 - bits, keys[entry])
        slots[slot] = keys[entry]
        values[slot] = ids[entry]
    return slots, values


@njit(nogil=True)
@no_type_check
def _rehash(steps, bits):
    result = np.full(1 << bits, EMPTY, np.int64)
    for step in steps:
        if step >= 0:
            result[follow(result, 64 - bits, step >> 40, (step >> 32) & 0xFF)] = step
    return result


@njit(nogil=True)
@no_type_check
def _insert(data, ends, roots, numbers, bits):
    steps = np.full(1 << bits, EMPTY, np.int64)
    pieces = np.full(2 + len(data), EMPTY, np.int32)
    size = 2
    shift = 64 - bits
    for entry in range(len(roots)):
        node = roots[entry]
        for place in range(ends[entry], ends[entry + 1]):
            slot = follow(steps, shift, node, data[place])
            if steps[slot] < 0:
                steps[slot] = (((node << 8) | np.int64(data[place])) << 32) | size
                size += 1
            node = steps[slot] & 0xFFFFFFFF
        pieces[node] = numbers[entry]
    return steps, pieces[:size].copy()
