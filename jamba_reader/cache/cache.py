"""What a model remembers of each sequence: the state that makes chunked reading exact.

Attention layers keep keys and values of every token; Mamba layers a float32 state and the last
inputs of their convolution, whatever the length. A call reads the cache, every layer leaves its
new state in it, and ``advance`` counts the tokens.
"""

from collections.abc import Mapping, Sequence
from weakref import WeakSet

import torch

from jamba_reader.cache.mamba_state import MambaState, Mark, copied
from jamba_reader.cache.size import allocating, history_bytes, key_value_bytes, state_bytes
from jamba_reader.config import JambaConfig
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.segments import Segments
from spider.errors import DataError


class Cache:
    """State of all layers for several sequences.

    Attributes:
        mamba: state of each Mamba layer by its index in the model; assigned by the layers.
        memories: keys and values of each attention layer by its index in the model.
        lengths: tokens seen of each sequence.
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
        # layers of the call under way
        self._changed: set[int] = set()

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
        """Return a cache that has seen nothing.

        Args:
            config: shape of the model.
            sequences: how many it holds.
            dtype: of keys, values and convolution inputs: the model's.
            device: where.
            capacity: tokens of each sequence to make room for at once.

        Raises:
            ConfigError: the device does not give so much memory.
        """
        size = key_value_bytes(config, sequences * capacity, dtype.itemsize)
        size += state_bytes(config, sequences) + history_bytes(config, sequences, dtype.itemsize)
        with allocating(sequences, capacity, size, device):
            return cls._empty(config, sequences, dtype, device, capacity)

    @classmethod
    def _empty(
        cls,
        config: JambaConfig,
        sequences: int,
        dtype: torch.dtype,
        device: torch.device | str,
        capacity: int,
    ) -> "Cache":
        state_dtype = torch.promote_types(torch.float32, dtype)
        mamba, memories = {}, {}
        for layer, mixer in enumerate(config.mixers):
            if mixer == "mamba":
                channels = config.inner_size
                state = (sequences, channels, config.mamba_d_state)
                history = (sequences, config.mamba_d_conv - 1, channels)
                mamba[layer] = MambaState(
                    torch.zeros(state, dtype=state_dtype, device=device),
                    torch.zeros(history, dtype=dtype, device=device),
                )
            else:
                memories[layer] = KeyValueMemory.empty(
                    sequences,
                    config.num_key_value_heads,
                    config.head_dim,
                    dtype=dtype,
                    device=device,
                    capacity=capacity,
                )
        return cls(mamba, memories, [0] * sequences)

    @property
    def sequences(self) -> int:
        """How many sequences it holds."""
        return len(self.lengths)

    def layer(self, index: int) -> MambaState | KeyValueMemory:
        """Return what the layer of this index left.

        Raises:
            DataError: the call before ended halfway, some layers having taken its tokens.
        """
        memory = self.memories.get(index)
        if index in self._changed or (memory is not None and memory.lengths != self.lengths):
            raise _ended_halfway()
        return self.mamba[index] if memory is None else memory

    def _kind(self) -> tuple[object, ...]:
        """Return what caches that go together have in common."""
        tensors = [t for layer in self.mamba.values() for t in (layer.state, layer.history)]
        mamba = tuple((t.shape[1:], t.dtype, t.device) for t in tensors)
        keys = [memory.keys for memory in self.memories.values()]
        heads = tuple((t.shape[1], t.shape[3], t.dtype, t.device) for t in keys)
        return tuple(self.mamba), mamba, tuple(self.memories), heads

    def check_fits(self, config: JambaConfig) -> None:
        """Refuse to go on with a model of another shape than the cache was made for.

        Raises:
            DataError: it is of another.
        """
        inner, rows = config.inner_size, self.sequences
        state, history = (rows, inner, config.mamba_d_state), (rows, config.mamba_d_conv - 1, inner)
        heads = (rows, config.num_key_value_heads, config.head_dim)
        fits = len(self.mamba) + len(self.memories) == len(config.mixers)
        for layer, mixer in enumerate(config.mixers):
            if mixer == "mamba":
                old = self.mamba.get(layer)
                fits &= old is not None and (old.state.shape, old.history.shape) == (state, history)
            else:
                memory = self.memories.get(layer)
                fits &= memory is not None and all(
                    (t.shape[0], t.shape[1], t.shape[3]) == heads
                    for t in (memory.keys, memory.values)
                )
        if not fits:
            raise DataError(
                "the cache was made for a model of another shape; make one with this model's "
                "new_cache"
            )

    def check_whole(self) -> None:
        """Refuse a cache whose layers disagree.

        A memory is written in place, before its layer is done: its own count tells.
        """
        if self._changed or any(m.lengths != self.lengths for m in self.memories.values()):
            raise _ended_halfway()

    def set_layer(self, index: int, state: MambaState | KeyValueMemory) -> None:
        """Keep what the layer of this index leaves."""
        self._changed.add(index)
        if isinstance(state, KeyValueMemory):
            self.memories[index] = state
        else:
            self.mamba[index] = state

    def advance(self, segments: Segments) -> None:
        """Count a call's tokens, once every layer has taken them."""
        self._changed.clear()
        self.lengths = [
            length + more for length, more in zip(self.lengths, segments.lengths, strict=True)
        ]

    def reserve(self, tokens: int) -> None:
        """Make room for ``tokens`` of each sequence, so that no copy is needed up to there.

        Raises:
            ConfigError: the device does not give so much memory.
        """
        size = sum(memory.bytes_of(tokens) for memory in self.memories.values())
        for memory in self.memories.values():
            with allocating(self.sequences, tokens, size, memory.keys.device):
                memory.reserve(tokens)

    def select(self, indices: Sequence[int]) -> None:
        """Keep these sequences, in this order; one may be left out or come several times.

        Marks taken before are void.

        Raises:
            DataError: there is no such sequence, or the call before ended halfway.
        """
        self.check_whole()
        if not all(0 <= index < self.sequences for index in indices):
            raise DataError(f"sequences {list(indices)} of a cache of {self.sequences}")
        self.void_marks()
        # until the end, so that one that memory does not suffice for is noticed
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
        """Return a cache of the same tokens that goes its own way.

        Mamba states are copied. Keys and values are shared until both have gone on: the first
        to do so writes behind them, the second copies them.

        Raises:
            DataError: the call before ended halfway.
        """
        self.check_whole()
        memories = {layer: memory.fork() for layer, memory in self.memories.items()}
        return Cache(copied(self.mamba), memories, self.lengths)

    @classmethod
    def stack(cls, caches: Sequence["Cache"]) -> "Cache":
        """Return the sequences of several caches of one model as one cache, in order.

        Raises:
            DataError: no cache is given, the last call on one ended halfway, or they are not of
                one model in one dtype.
        """
        if not caches:
            raise DataError("no caches to stack: expected at least one")
        if len({cache._kind() for cache in caches}) > 1:
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
        """Return the place reached, to come back to with ``rollback``, more than once if wanted.

        Raises:
            DataError: the call before ended halfway.
        """
        self.check_whole()
        mark = Mark(tuple(self.lengths), copied(self.mamba))
        self._marks.add(mark)
        return mark

    def rollback(self, mark: Mark) -> None:
        """Forget every token after ``mark``; later marks that saw such tokens are void.

        Raises:
            DataError: the mark is not of this cache, or is void.
        """
        if mark not in self._marks:
            raise DataError(
                "this mark is of another cache, or a rollback or selection has since replaced its "
                "tokens; expected one taken afterwards"
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
        """Refuse all marks from here on: the tokens that they saw are replaced."""
        self._marks.clear()

    def detach(self) -> None:
        """Let no gradient flow into the tokens seen so far (truncated back-propagation)."""
        for memory in self.memories.values():
            memory.detach()
        for layer, old in self.mamba.items():
            self.mamba[layer] = MambaState(old.state.detach(), old.history.detach())

    def nbytes(self) -> int:
        """Bytes that its tensors hold, room not yet used included."""
        tensors = [t for memory in self.memories.values() for t in (memory.keys, memory.values)]
        tensors += [t for old in self.mamba.values() for t in (old.state, old.history)]
        return sum(tensor.nbytes for tensor in tensors)

    def held_bytes(self, tokens: int) -> int:
        """Bytes of memory that it has of those that ``tokens`` of each sequence will take.

        On a CPU, room that nothing was written to has none yet.
        """
        states = [t for old in self.mamba.values() for t in (old.state, old.history)]
        memories = self.memories.values()
        return sum(t.nbytes for t in states) + sum(m.held_bytes(tokens) for m in memories)


def _ended_halfway() -> DataError:
    return DataError(
        "the last call on this cache ended halfway, so its layers disagree; roll back to a mark, "
        "or read the tokens anew into a new cache"
    )
