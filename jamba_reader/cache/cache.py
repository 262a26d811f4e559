"""The cache of a Jamba model: the state of each sequence between calls.

Attention layers keep the keys and values of every token. Mamba layers keep a float32 state and the
last inputs of their convolution, whose size does not depend on the length. In a call every layer
reads its state, computes and stores the new state; then ``advance`` counts the tokens.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakSet

import torch

from jamba_reader.cache.layers import empty_layers, fit, kind_of, misplaced
from jamba_reader.cache.mamba_state import MambaState, Mark, copied
from jamba_reader.cache.size import allocating, history_bytes, key_value_bytes, state_bytes
from jamba_reader.config import JambaConfig
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.operand_checks import check_model_dtype
from jamba_reader.ops.segments import Segments
from spider.errors import DataError


class Cache:
    """The state of all layers for several sequences.

    Attributes:
        mamba: state of each Mamba layer, by its index in the model.
        memories: keys and values of each attention layer, by its index in the model.
        lengths: number of tokens of each sequence that were read.
    """

    def __init__(
        self,
        mamba: Mapping[int, MambaState],
        memories: Mapping[int, KeyValueMemory],
        lengths: Sequence[int],
    ):
        self.mamba = dict(mamba)
        self.memories = dict(memories)
        self.lengths = list(lengths)
        self._marks: WeakSet[Mark] = WeakSet()
        # layers that have stored a new state in the current call
        self._changed: set[int] = set()

    def __copy__(self) -> "Cache":
        """Return a fork: a copy that shared its layers would change this cache."""
        return self.fork()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for a copy or another process; no mark of this cache covers it."""
        return {**self.__dict__, "_marks": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state of another cache."""
        self.__dict__.update(state, _marks=WeakSet())

    @classmethod
    def empty(
        cls,
        config: JambaConfig,
        sequences: int,
        *,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
        capacity: int = 0,
    ) -> "Cache":
        """Return an empty cache.

        Args:
            config: shape of the model.
            sequences: number of sequences.
            dtype: data type of keys, values and convolution inputs: that of the model.
            device: device of the tensors.
            capacity: number of tokens of each sequence to reserve space for.

        Raises:
            ConfigError: the device does not have enough memory, or a model cannot have the data
                type.
        """
        check_model_dtype(dtype)
        size = key_value_bytes(config, sequences * capacity, dtype.itemsize)
        size += state_bytes(config, sequences) + history_bytes(config, sequences, dtype.itemsize)
        with allocating(sequences, capacity, size, device):
            mamba, memories = empty_layers(config, sequences, dtype, device, capacity)
        return cls(mamba, memories, [0] * sequences)

    @property
    def sequences(self) -> int:
        """Number of sequences."""
        return len(self.lengths)

    def layer(self, index: int) -> MambaState | KeyValueMemory:
        """Return the state of the layer with this index.

        Raises:
            DataError: the last call failed after some layers had read its tokens.
        """
        memory = self.memories.get(index)
        if index in self._changed or (memory is not None and memory.lengths != self.lengths):
            raise _ended_halfway()
        return self.mamba[index] if memory is None else memory

    def check_fits(self, config: JambaConfig, dtype: torch.dtype, device: torch.device) -> None:
        """Check that the cache was made for a model of this shape and data type.

        Args:
            config: shape of the model.
            dtype: data type of the model. Not checked under autocast, which changes it.
            device: device of the model.

        Raises:
            ConfigError: a model cannot have the data type.
            DataError: it was made for another shape, data type or device.
        """
        check_model_dtype(dtype)
        if not fit(self.mamba, self.memories, config, self.sequences):
            raise DataError(
                "the cache was made for a model of another shape; make one with new_cache of this "
                "model"
            )
        place = misplaced(self.mamba, self.memories, dtype, device)
        if place is not None:
            raise DataError(
                f"the cache was made for another data type or device: {place}; make one with "
                "new_cache of this model"
            )

    def check_whole(self) -> None:
        """Check that all layers have read the same tokens.

        Keys and values are written in place before the layer is finished, so their own count of
        tokens is compared too.

        Raises:
            DataError: the last call failed halfway.
        """
        if self._changed or any(m.lengths != self.lengths for m in self.memories.values()):
            raise _ended_halfway()

    def set_layer(self, index: int, state: MambaState | KeyValueMemory) -> None:
        """Store the new state of the layer with this index."""
        self._changed.add(index)
        if isinstance(state, KeyValueMemory):
            self.memories[index] = state
        else:
            self.mamba[index] = state

    def advance(self, segments: Segments) -> None:
        """Count the tokens of a call after every layer has read them."""
        self._changed.clear()
        self.lengths = [
            length + more for length, more in zip(self.lengths, segments.lengths, strict=True)
        ]

    def reserve(self, tokens: int) -> None:
        """Reserve space for ``tokens`` of each sequence, so that none is copied up to there.

        Raises:
            ConfigError: the device does not have enough memory.
        """
        size = sum(memory.bytes_of(tokens) for memory in self.memories.values())
        for memory in self.memories.values():
            with allocating(self.sequences, tokens, size, memory.keys.device):
                memory.reserve(tokens)

    def select(self, indices: Sequence[int]) -> None:
        """Keep these sequences, in this order; an index may be absent or repeated.

        Marks taken before become invalid.

        Raises:
            DataError: there is no such sequence, or the last call failed halfway.
        """
        self.check_whole()
        if not all(0 <= index < self.sequences for index in indices):
            raise DataError(f"sequences {list(indices)} of a cache of {self.sequences}")
        self.void_marks()
        # cleared at the end, so that a selection that runs out of memory is noticed
        self._changed.update(self.memories, self.mamba)
        self.lengths = [self.lengths[index] for index in indices]
        for layer, memory in self.memories.items():
            self.memories[layer] = memory.select(indices)
        for layer, old in self.mamba.items():
            rows = torch.tensor(list(indices), dtype=torch.int64, device=old.state.device)
            self.mamba[layer] = MambaState(
                old.state.index_select(0, rows), old.history.index_select(0, rows)
            )
        self._changed.clear()

    def fork(self) -> "Cache":
        """Return an independent cache of the same tokens.

        Mamba states are copied. Keys and values are shared at first. The cache that reads more
        tokens first writes behind them; the other copies them when it reads more.

        Raises:
            DataError: the last call failed halfway.
        """
        self.check_whole()
        memories = {layer: memory.fork() for layer, memory in self.memories.items()}
        return Cache(copied(self.mamba), memories, self.lengths)

    @classmethod
    def stack(cls, caches: Sequence["Cache"]) -> "Cache":
        """Return one cache with the sequences of several caches of a model, in order.

        Raises:
            DataError: no cache is given, the last call on one failed halfway, or they belong to
                different models, data types or devices.
        """
        if not caches:
            raise DataError("no caches to stack: expected at least one")
        if len({kind_of(cache.mamba, cache.memories) for cache in caches}) > 1:
            raise DataError("caches of different models, dtypes or devices cannot be stacked")
        for cache in caches:
            cache.check_whole()
        mamba = {
            layer: MambaState(
                torch.cat([cache.mamba[layer].state for cache in caches]),
                torch.cat([cache.mamba[layer].history for cache in caches]),
            )
            for layer in caches[0].mamba
        }
        memories = {
            layer: KeyValueMemory.stack([cache.memories[layer] for cache in caches])
            for layer in caches[0].memories
        }
        return cls(mamba, memories, [length for cache in caches for length in cache.lengths])

    def mark(self) -> Mark:
        """Return a mark of the current state; ``rollback`` can return to it repeatedly.

        Raises:
            DataError: the last call failed halfway.
        """
        self.check_whole()
        mark = Mark(tuple(self.lengths), copied(self.mamba))
        self._marks.add(mark)
        return mark

    def rollback(self, mark: Mark) -> None:
        """Remove every token after ``mark``; later marks that cover such tokens become invalid.

        Raises:
            DataError: the mark belongs to another cache, or is invalid.
        """
        if mark not in self._marks:
            raise DataError(
                "this mark is of another cache, or a rollback or selection has replaced its tokens "
                "since; take a new mark afterwards"
            )
        mamba = copied(mark.mamba)
        for later in list(self._marks):
            if later.serial > mark.serial and later.lengths != mark.lengths:
                self._marks.discard(later)
        self.lengths = list(mark.lengths)
        self.mamba = mamba
        for memory in self.memories.values():
            memory.truncate(mark.lengths)
        self._changed.clear()

    def void_marks(self) -> None:
        """Make all marks invalid, because the tokens that they cover are replaced."""
        self._marks.clear()

    def detach(self) -> None:
        """Stop gradients at the tokens read so far (truncated back-propagation)."""
        for memory in self.memories.values():
            memory.detach()
        for layer, old in self.mamba.items():
            self.mamba[layer] = MambaState(old.state.detach(), old.history.detach())

    def nbytes(self) -> int:
        """Return the size of all tensors in bytes, with reserved space."""
        tensors = [t for memory in self.memories.values() for t in (memory.keys, memory.values)]
        tensors += [t for old in self.mamba.values() for t in (old.state, old.history)]
        return sum(tensor.nbytes for tensor in tensors)

    def held_bytes(self, tokens: int) -> int:
        """Return how many of the bytes for ``tokens`` of each sequence are allocated already.

        On a CPU, the system allocates reserved space only when it is first written to.
        """
        states = [t for old in self.mamba.values() for t in (old.state, old.history)]
        memories = self.memories.values()
        return sum(t.nbytes for t in states) + sum(m.held_bytes(tokens) for m in memories)


def _ended_halfway() -> DataError:
    return DataError(
        "the last call on this cache failed halfway, so its layers disagree; roll back to a mark, "
        "or read the tokens again into a new cache"
    )
