"""Keys and values of the tokens that an attention layer has seen, for several sequences."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from jamba_reader.segments import Segments
from spider.errors import DataError


class KeyValueMemory:
    """What one attention layer remembers: ragged sequences in one tensor that grows.

    Args:
        keys: room for the keys of every sequence.
        values: room for the values.
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
        """Return a memory of no tokens with room for ``capacity`` of each sequence."""
        shape = (sequences, kv_heads, capacity, head_dim)
        keys = torch.empty(shape, dtype=dtype, device=device)
        return cls(keys, torch.empty_like(keys), [0] * sequences)

    @property
    def capacity(self) -> int:
        """Tokens of each sequence that there is room for."""
        return self.keys.shape[2]

    def lengths_on(self, device: torch.device | str) -> Int64[Tensor, " sequences"]:
        """Return ``lengths`` as a tensor."""
        return torch.tensor(self.lengths, dtype=torch.int64, device=device)

    def append(
        self,
        key: Float[Tensor, "tokens kv_heads head_dim"],
        value: Float[Tensor, "tokens kv_heads head_dim"],
        segments: Segments,
    ) -> "KeyValueMemory":
        """Return the memory with a call's tokens at the end of each sequence.

        It is this same object, written in place with room that grows by half when it is short.
        Only where a gradient has to flow through the memory is it a new one, and this one stays as
        it was, so that a checkpointed layer can be computed again.

        Raises:
            DataError: the segments are not those of this memory's sequences.
        """
        if len(segments) != len(self.lengths):
            raise DataError(
                f"{len(segments)} segments for a memory of {len(self.lengths)} sequences: expected "
                "one segment each, empty where a sequence has no new token"
            )
        lengths = [old + new for old, new in zip(self.lengths, segments.lengths, strict=True)]
        if key.requires_grad or value.requires_grad or self.keys.requires_grad:
            return KeyValueMemory(
                _extended(self.keys, self.lengths, key, segments),
                _extended(self.values, self.lengths, value, segments),
                lengths,
            )
        self._write(key, value, segments)
        self.lengths = lengths
        return self

    def _write(self, key: Tensor, value: Tensor, segments: Segments) -> None:
        longest = max(map(int.__add__, self.lengths, segments.lengths), default=0)
        if longest > self.capacity:
            self.reserve(max(longest, self.capacity + self.capacity // 2))
        for sequence, rows in enumerate(segments.slices):
            start = self.lengths[sequence]
            place = slice(start, start + rows.stop - rows.start)
            self.keys[sequence, :, place] = key[rows].transpose(0, 1)
            self.values[sequence, :, place] = value[rows].transpose(0, 1)

    def reserve(self, capacity: int) -> None:
        """Make room for ``capacity`` tokens of each sequence; never less than there is."""
        if capacity <= self.capacity:
            return
        used = max(self.lengths, default=0)
        for name in ("keys", "values"):
            old = getattr(self, name)
            sequences, kv_heads, _, head_dim = old.shape
            new = old.new_empty((sequences, kv_heads, capacity, head_dim))
            new[:, :, :used] = old[:, :, :used]
            setattr(self, name, new)

    def truncate(self, lengths: Sequence[int]) -> None:
        """Forget what each sequence holds behind ``lengths``."""
        self.lengths = list(lengths)

    def select(self, indices: Sequence[int]) -> "KeyValueMemory":
        """Return a copy that holds these sequences, in this order; one may come twice."""
        used = max((self.lengths[index] for index in indices), default=0)
        rows = torch.tensor(list(indices), dtype=torch.int64, device=self.keys.device)
        return KeyValueMemory(
            self.keys[:, :, :used].index_select(0, rows),
            self.values[:, :, :used].index_select(0, rows),
            [self.lengths[index] for index in indices],
        )

    def detach(self) -> None:
        """Let no gradient flow into what was seen so far."""
        self.keys = self.keys.detach()
        self.values = self.values.detach()


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
    return torch.stack(rows)
