"""State that training carries from one step to the next, in buffers that a checkpoint saves."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from jamba_reader.cache.cache import Cache
from jamba_reader.cache.mamba_state import MambaState
from jamba_reader.config import JambaConfig
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from spider.errors import ConfigError


class CarriedState(nn.Module):
    """The state of every layer after the last step, without gradients.

    The buffers are part of ``state_dict``, so a run that resumes from a checkpoint continues from
    exactly the same states.

    Args:
        config: shape of the model.
        batch_size: number of sequences.
        attention_memory: keys and values of at most this many last tokens of a sequence are
            carried. The size of Mamba states does not depend on the number of tokens.
        dtype: data type of the model.

    Raises:
        ConfigError: ``attention_memory`` is negative.
    """

    lengths: Tensor

    def __init__(
        self, config: JambaConfig, *, batch_size: int, attention_memory: int, dtype: torch.dtype
    ):
        super().__init__()
        if attention_memory < 0:
            raise ConfigError(f"attention_memory={attention_memory}: expected 0 or more")
        self.attention_memory = attention_memory
        empty = Cache.empty(config, batch_size, dtype=dtype, capacity=attention_memory)
        self.mamba_layers = tuple(empty.mamba)
        self.attention_layers = tuple(empty.memories)
        self.register_buffer("lengths", torch.zeros(batch_size, dtype=torch.int64, device="cpu"))
        for layer, before in empty.mamba.items():
            self.register_buffer(f"state_{layer}", before.state)
            self.register_buffer(f"history_{layer}", before.history)
        for layer, memory in empty.memories.items():
            self.register_buffer(f"keys_{layer}", memory.keys.zero_())
            self.register_buffer(f"values_{layer}", memory.values.zero_())

    def cache(self) -> Cache:
        """Return the state as a cache for the model.

        The cache shares the buffers. Call ``select`` on it before use: ``select`` copies.
        """
        lengths: list[int] = self.lengths.tolist()
        return Cache(
            {
                layer: MambaState(
                    self.get_buffer(f"state_{layer}"), self.get_buffer(f"history_{layer}")
                )
                for layer in self.mamba_layers
            },
            {
                layer: KeyValueMemory(
                    self.get_buffer(f"keys_{layer}"), self.get_buffer(f"values_{layer}"), lengths
                )
                for layer in self.attention_layers
            },
            lengths,
        )

    @torch.no_grad()
    def keep(self, cache: Cache) -> None:
        """Store the state for the next step; of keys and values, those of the last tokens."""
        for layer, after in cache.mamba.items():
            self.get_buffer(f"state_{layer}").copy_(after.state)
            self.get_buffer(f"history_{layer}").copy_(after.history)
        lengths = [0] * len(self.lengths)
        for layer, memory in cache.memories.items():
            lengths = [min(length, self.attention_memory) for length in memory.lengths]
            for name, source in (("keys", memory.keys), ("values", memory.values)):
                target = self.get_buffer(f"{name}_{layer}")
                for row, (kept, length) in enumerate(zip(lengths, memory.lengths, strict=True)):
                    target[row, :, :kept] = source[row, :, length - kept : length]
        self.lengths.copy_(torch.tensor(lengths, dtype=torch.int64, device="cpu"))


def restart(cache: Cache, sequences: Iterable[int]) -> None:
    """Reset some sequences of a cache to the empty state; no gradient flows into their past.

    Marks that were taken before become invalid.

    Args:
        cache: the cache.
        sequences: numbers of the sequences to reset.
    """
    chosen: Sequence[int] = tuple(sequences)
    if not chosen:
        return
    cache.void_marks()
    reset = [number in chosen for number in range(cache.sequences)]
    for layer, old in cache.mamba.items():
        rows = torch.tensor(reset, dtype=torch.bool, device=old.state.device)[:, None, None]
        cache.mamba[layer] = MambaState(
            old.state.masked_fill(rows, 0.0), old.history.masked_fill(rows, 0.0)
        )
    for layer, memory in cache.memories.items():
        lengths = [0 if new else n for new, n in zip(reset, memory.lengths, strict=True)]
        # the old object does not change: a checkpointed layer may still recompute from it
        copy = memory.fork()
        copy.truncate(lengths)
        cache.memories[layer] = copy
    cache.lengths = [0 if new else n for new, n in zip(reset, cache.lengths, strict=True)]
