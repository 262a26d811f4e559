"""What lanes remember from one training step to the next, in buffers that a checkpoint saves."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from jamba_reader.cache.cache import Cache
from jamba_reader.cache.mamba_state import MambaState
from jamba_reader.config import JambaConfig
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from spider.errors import ConfigError


class CarriedLanes(nn.Module):
    """State of every layer after the last step, without gradients.

    Buffers are part of ``state_dict``: a run that resumes from a checkpoint goes on with the states
    that it had, bit by bit.

    Args:
        config: shape of the model.
        lanes: how many sequences are carried.
        attention_memory: keys and values of at most this many last tokens of a lane are carried;
            Mamba states hold a fixed size of all tokens before.
        dtype: of the model.

    Raises:
        ConfigError: the memory is negative.
    """

    lengths: Tensor

    def __init__(
        self, config: JambaConfig, *, lanes: int, attention_memory: int, dtype: torch.dtype
    ):
        super().__init__()
        if attention_memory < 0:
            raise ConfigError(f"attention_memory={attention_memory}: expected 0 or more")
        self.attention_memory = attention_memory
        empty = Cache.empty(config, lanes, dtype=dtype, capacity=attention_memory)
        self.mamba_layers = tuple(empty.mamba)
        self.attention_layers = tuple(empty.memories)
        self.register_buffer("lengths", torch.zeros(lanes, dtype=torch.int64))
        for layer, before in empty.mamba.items():
            self.register_buffer(f"state_{layer}", before.state)
            self.register_buffer(f"history_{layer}", before.history)
        for layer, memory in empty.memories.items():
            self.register_buffer(f"keys_{layer}", memory.keys.zero_())
            self.register_buffer(f"values_{layer}", memory.values.zero_())

    def cache(self) -> Cache:
        """Return the lanes' state as the model takes it.

        It holds the buffers themselves: select sequences from it, which copies, before use.
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
        """Store the lanes' state for the next step; of the attention memory, its end."""
        for layer, after in cache.mamba.items():
            self.get_buffer(f"state_{layer}").copy_(after.state)
            self.get_buffer(f"history_{layer}").copy_(after.history)
        lengths = [0] * len(self.lengths)
        for layer, memory in cache.memories.items():
            lengths = [min(length, self.attention_memory) for length in memory.lengths]
            for name, source in (("keys", memory.keys), ("values", memory.values)):
                target = self.get_buffer(f"{name}_{layer}")
                for lane, (kept, length) in enumerate(zip(lengths, memory.lengths, strict=True)):
                    target[lane, :, :kept] = source[lane, :, length - kept : length]
        self.lengths.copy_(torch.tensor(lengths))


def restart(cache: Cache, sequences: Iterable[int]) -> None:
    """Let sequences of a cache begin anew; no gradient flows into what they were.

    Args:
        cache: of any sequences.
        sequences: numbers of those that begin anew. Marks taken before are void.
    """
    chosen: Sequence[int] = tuple(sequences)
    if not chosen:
        return
    cache.void_marks()
    anew = [number in chosen for number in range(cache.sequences)]
    for layer, old in cache.mamba.items():
        rows = torch.tensor(anew, device=old.state.device)[:, None, None]
        cache.mamba[layer] = MambaState(
            old.state.masked_fill(rows, 0.0), old.history.masked_fill(rows, 0.0)
        )
    for layer, memory in cache.memories.items():
        lengths = [0 if new else n for new, n in zip(anew, memory.lengths, strict=True)]
        # it knows who else remembers what lies there
        twin = memory.fork()
        twin.truncate(lengths)
        cache.memories[layer] = twin
    cache.lengths = [0 if new else n for new, n in zip(anew, cache.lengths, strict=True)]
