"""Keys and values of the tokens that an attention layer has seen, for several sequences."""

from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from jamba_reader.ops.segments import Segments
from spider.errors import DataError

_LEAST_GROWTH = 32


class _Storage:
    """The state that memories with shared tensors have in common.

    Attributes:
        holders: the memories.
        ends: tokens of each sequence that any of them has written.
    """

    def __init__(self, holder: "KeyValueMemory", ends: Sequence[int]):
        self.holders = WeakSet([holder])
        self.ends = list(ends)


class KeyValueMemory:
    """The keys and values of one attention layer: ragged sequences in one tensor that grows.

    A fork shares the tensors. The first of the two that adds tokens to a sequence writes in place,
    behind the common tokens. The second copies the tensors when it adds some.

    Args:
        keys: the keys of every sequence, with space for more.
        values: the values of every sequence, of the same shape.
        lengths: tokens held by each sequence; what lies behind them is not defined.
    """

    def __init__(
        self,
        keys: Float[Tensor, "sequences kv_heads capacity head_dim"],
        values: Float[Tensor, "sequences kv_heads capacity head_dim"],
        lengths: Sequence[int],
    ):
        self.keys = keys
        self.values = values
        self.lengths = list(lengths)
        self._storage = _Storage(self, self.lengths)
        self._lengths_tensor: Tensor | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the tokens, without gradients and reserved space, for a copy or another process.

        They are copied here: two forks that are pickled together would share tensors without the
        storage that says who may write.
        """
        used = max(self.lengths, default=0)
        keys, values = (t[:, :, :used].detach().clone() for t in (self.keys, self.values))
        return {"keys": keys, "values": values, "lengths": self.lengths}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the tokens of another memory."""
        self.__init__(**state)  # type: ignore[misc]

    @classmethod
    def empty(
        cls,
        sequences: int,
        kv_heads: int,
        head_dim: int,
        *,
        dtype: torch.dtype,
        device: torch.device | str,
        capacity: int = 0,
    ) -> "KeyValueMemory":
        """Return a memory of no tokens with space for ``capacity`` tokens of each sequence."""
        like = torch.empty((0, kv_heads, 0, head_dim), dtype=dtype, device=device)
        keys, values = (_empty_like(like, sequences, capacity) for _ in range(2))
        return cls(keys, values, [0] * sequences)

    @property
    def capacity(self) -> int:
        """Tokens of each sequence that fit into the tensors."""
        # they differ if memory sufficed for one of them only
        return min(self.keys.shape[2], self.values.shape[2])

    def bytes_of(self, tokens: int) -> int:
        """Return the bytes that ``tokens`` of each sequence take."""
        _, heads, _, size = self.keys.shape
        return 2 * len(self.lengths) * heads * size * self.keys.itemsize * tokens

    def held_bytes(self, tokens: int) -> int:
        """Return how many of ``bytes_of(tokens)`` are allocated.

        A GPU allocates memory when a tensor is made, an operating system when it is first written.
        """
        lazy = self.keys.device.type == "cpu"
        places = self.lengths if lazy else [self.capacity] * len(self.lengths)
        return sum(self.bytes_of(min(place, tokens)) for place in places) // max(len(places), 1)

    def lengths_on(self, device: torch.device | str) -> Int64[Tensor, " sequences"]:
        """Return ``lengths`` as a tensor, which the caller must not change."""
        known = self._lengths_tensor
        if known is None or known.device != torch.device(device):
            known = torch.tensor(self.lengths, dtype=torch.int64, device=device)
            self._lengths_tensor = known
        return known

    def append(
        self,
        key: Float[Tensor, "tokens kv_heads head_dim"],
        value: Float[Tensor, "tokens kv_heads head_dim"],
        segments: Segments,
    ) -> "KeyValueMemory":
        """Return the memory with a call's tokens at the end of each sequence.

        It is this same object, written in place; it grows by half if its capacity is too small.
        Only where gradients are recorded, it is a new object and this one stays as it was. A
        gradient may have to flow through it, and a checkpointed layer may be computed again,
        whichever of its weights are frozen.

        Raises:
            DataError: the segments are not those of this memory's sequences.
        """
        if len(segments) != len(self.lengths):
            raise DataError(
                f"{len(segments)} segments for a memory of {len(self.lengths)} sequences: expected "
                "one segment each, empty where a sequence has no new token"
            )
        lengths = [old + new for old, new in zip(self.lengths, segments.lengths, strict=True)]
        recorded = self.keys.requires_grad or self.values.requires_grad
        if torch.is_grad_enabled() or recorded:
            return KeyValueMemory(
                _extended(self.keys, self.lengths, key, segments),
                _extended(self.values, self.lengths, value, segments),
                lengths,
            )
        longest = max(lengths, default=0)
        if longest > self.capacity:
            self._move(max(longest, self.capacity + max(self.capacity // 2, _LEAST_GROWTH)))
        elif not self._may_write(lengths):
            self._move(self.capacity)
        self._write(key, value, segments)
        self._storage.ends = [*map(max, lengths, self._storage.ends)]
        known = self._lengths_tensor
        self._lengths_tensor = known + 1 if known is not None and segments.single_tokens else None
        self.lengths = lengths
        return self

    def _may_write(self, lengths: Sequence[int]) -> bool:
        """Return whether no other memory holds tokens where the new ones go."""
        if len(self._storage.holders) == 1:
            return True
        places = zip(self.lengths, lengths, self._storage.ends, strict=True)
        return all(new == old or end <= old for old, new, end in places)

    def _write(self, key: Tensor, value: Tensor, segments: Segments) -> None:
        if segments.single_tokens and len(set(self.lengths)) == 1:
            self.keys.select(2, self.lengths[0]).copy_(key)
            self.values.select(2, self.lengths[0]).copy_(value)
            return
        if segments.single_tokens:
            numbers = torch.arange(len(self.lengths), dtype=torch.int64, device=self.keys.device)
            ends = self.lengths_on(self.keys.device)
            self.keys[numbers, :, ends] = key
            self.values[numbers, :, ends] = value
            return
        for sequence, rows in enumerate(segments.slices):
            start = self.lengths[sequence]
            place = slice(start, start + rows.stop - rows.start)
            self.keys[sequence, :, place] = key[rows].transpose(0, 1)
            self.values[sequence, :, place] = value[rows].transpose(0, 1)

    def reserve(self, capacity: int) -> None:
        """Raise the capacity to ``capacity`` tokens of each sequence; never lower it."""
        if capacity > self.capacity:
            self._move(capacity)

    def _move(self, capacity: int) -> None:
        """Copy to tensors of this memory alone, with a capacity of at least ``capacity``."""
        capacity = max(capacity, self.capacity)
        used = max(self.lengths, default=0)
        for name in ("keys", "values"):
            old = getattr(self, name)
            new = _empty_like(old, len(self.lengths), capacity)
            new[:, :, :used] = old[:, :, :used]
            setattr(self, name, new)
        self._storage.holders.discard(self)
        self._storage = _Storage(self, self.lengths)

    def truncate(self, lengths: Sequence[int]) -> None:
        """Drop the tokens of each sequence behind ``lengths``.

        Raises:
            DataError: a sequence holds fewer tokens.
        """
        if len(lengths) != len(self.lengths) or any(map(int.__gt__, lengths, self.lengths)):
            raise DataError(f"cannot truncate {self.lengths} tokens to {list(lengths)}")
        self.lengths = list(lengths)
        self._lengths_tensor = None

    def fork(self) -> "KeyValueMemory":
        """Return a memory of the same tokens that grows independently; nothing is copied yet."""
        fork = KeyValueMemory(self.keys, self.values, self.lengths)
        fork._storage = self._storage
        self._storage.holders.add(fork)
        return fork

    def select(self, indices: Sequence[int]) -> "KeyValueMemory":
        """Return a copy that holds these sequences, in this order; one may come twice.

        It has the same capacity. If gradients flow through it, its capacity is just what the
        sequences need, because adding tokens copies them anyway.
        """
        lengths = [self.lengths[index] for index in indices]
        used = max(lengths, default=0)
        rows = torch.tensor(list(indices), dtype=torch.int64, device=self.keys.device)
        keys, values = self.keys[:, :, :used], self.values[:, :, :used]
        if keys.requires_grad or values.requires_grad:
            return KeyValueMemory(keys.index_select(0, rows), values.index_select(0, rows), lengths)
        copies = []
        for old in (keys, values):
            new = _empty_like(old, len(lengths), self.capacity)
            torch.index_select(old, 0, rows, out=new[:, :, :used])
            copies.append(new)
        return KeyValueMemory(copies[0], copies[1], lengths)

    @classmethod
    def stack(cls, memories: Sequence["KeyValueMemory"]) -> "KeyValueMemory":
        """Return the sequences of several memories as one, in order."""
        lengths = [length for memory in memories for length in memory.lengths]
        longest = max(lengths, default=0)
        keys, values = (_empty_like(memories[0].keys, len(lengths), longest) for _ in range(2))
        start = 0
        for memory in memories:
            used = max(memory.lengths, default=0)
            rows = slice(start, start + len(memory.lengths))
            keys[rows, :, :used] = memory.keys[:, :, :used]
            values[rows, :, :used] = memory.values[:, :, :used]
            start = rows.stop
        return cls(keys, values, lengths)

    def detach(self) -> None:
        """Stop gradients from flowing into the tokens held so far."""
        self.keys = self.keys.detach()
        self.values = self.values.detach()


def _empty_like(like: Tensor, sequences: int, capacity: int) -> Tensor:
    """Return an uninitialised tensor for keys or values of the same heads, dtype and device."""
    # a tensor made in inference mode cannot be written outside of it
    with torch.inference_mode(False), torch.no_grad():
        return like.new_empty((sequences, like.shape[1], capacity, like.shape[3]))


def _extended(
    old: Tensor, lengths: Sequence[int], new: Tensor, segments: Segments
) -> Float[Tensor, "sequences kv_heads capacity head_dim"]:
    """Return old rows and new ones end to end, zeros behind, differentiable."""
    capacity = max(map(int.__add__, lengths, segments.lengths), default=0)
    rows = []
    for sequence, (length, piece) in enumerate(zip(lengths, segments.slices, strict=True)):
        fresh = new[piece].transpose(0, 1)
        blank = capacity - length - fresh.shape[1]
        padding = new.new_zeros((fresh.shape[0], blank, fresh.shape[2]))
        rows.append(torch.cat([old[sequence, :, :length], fresh, padding], dim=1))
    # without sequences there is nothing to stack
    return torch.stack(rows) if rows else old
