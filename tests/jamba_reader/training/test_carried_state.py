"""The state that training carries: what is kept, what is cut, and what a reset leaves alone."""

import pytest
import torch

from jamba_reader.cache.cache import Cache
from jamba_reader.config import JambaConfig
from jamba_reader.ops.segments import Segments
from jamba_reader.training.carried_state import CarriedState, restart
from spider.errors import ConfigError

CONFIG = JambaConfig(
    vocab_size=9, hidden_size=8, intermediate_size=8, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, attn_layer_period=2, attn_layer_offset=1, mamba_d_state=2,
    mamba_dt_rank=2, num_experts=1,
)  # fmt: skip
MAMBA, ATTENTION = 0, 1


def carried(memory: int = 3) -> CarriedState:
    return CarriedState(CONFIG, batch_size=2, attention_memory=memory, dtype=torch.float32)


def read(cache: Cache, first: list[float], second: list[float]) -> None:
    """Let a cache of two sequences read tokens whose key, state and history are their number."""
    numbers = torch.tensor([*first, *second], dtype=torch.float32)
    segments = Segments([len(first), len(second)])
    rows = numbers[:, None, None].expand(-1, 1, CONFIG.head_dim)
    cache.memories[ATTENTION] = cache.memories[ATTENTION].append(rows, -rows, segments)
    for sequence, tokens in enumerate((first, second)):
        if tokens:
            cache.mamba[MAMBA].state[sequence] = tokens[-1]
            cache.mamba[MAMBA].history[sequence] = -tokens[-1]
    cache.advance(segments)


def keys(cache: Cache) -> list[list[float]]:
    memory = cache.memories[ATTENTION]
    return [memory.keys[row, 0, :n, 0].tolist() for row, n in enumerate(memory.lengths)]


def filled(memory: int = 3) -> CarriedState:
    kept = carried(memory)
    cache = kept.cache()
    cache.select([0, 1])
    read(cache, [1, 2, 3, 4, 5], [6, 7])
    kept.keep(cache)
    return kept


def test_the_last_keys_and_all_states_are_kept() -> None:
    cache = filled().cache()
    assert keys(cache) == [[3, 4, 5], [6, 7]]
    assert cache.lengths == [3, 2]
    assert cache.mamba[MAMBA].state[:, 0, 0].tolist() == [5, 7]
    assert cache.mamba[MAMBA].history[:, 0, 0].tolist() == [-5, -7]
    cache.select([0, 1])
    read(cache, [8], [9, 10])
    assert keys(cache) == [[3, 4, 5, 8], [6, 7, 9, 10]]


def test_a_memory_of_no_tokens_keeps_states_only() -> None:
    cache = filled(0).cache()
    assert keys(cache) == [[], []]
    assert cache.mamba[MAMBA].state[:, 0, 0].tolist() == [5, 7]


def test_a_checkpoint_restores_the_same_state() -> None:
    first, second = filled(), carried()
    second.load_state_dict(first.state_dict())
    assert keys(second.cache()) == [[3, 4, 5], [6, 7]]
    assert torch.equal(second.cache().mamba[MAMBA].state, first.cache().mamba[MAMBA].state)
    assert not list(first.parameters())


def test_a_selected_cache_does_not_write_to_the_buffers() -> None:
    kept = filled()
    before = {name: buffer.clone() for name, buffer in kept.named_buffers()}
    cache = kept.cache()
    cache.select([1, 0])
    read(cache, [1], [2])
    assert all(torch.equal(buffer, before[name]) for name, buffer in kept.named_buffers())


def test_a_reset_sequence_is_empty_and_the_others_are_not() -> None:
    cache = filled().cache()
    cache.select([0, 1])
    other, mark, before = cache.fork(), cache.mark(), cache.memories[ATTENTION]
    restart(cache, [1])
    # a layer under gradient checkpointing may still recompute from the old memory
    assert before.lengths == [3, 2]
    assert keys(cache) == [[3, 4, 5], []]
    assert cache.lengths == [3, 0]
    assert cache.mamba[MAMBA].state[:, 0, 0].tolist() == [5, 0]
    assert cache.mamba[MAMBA].history[:, 0, 0].tolist() == [-5, 0]
    assert keys(other) == [[3, 4, 5], [6, 7]]
    with pytest.raises(Exception, match="replaced its tokens"):
        cache.rollback(mark)
    restart(other, [])
    read(cache, [8], [9])
    assert keys(cache) == [[3, 4, 5, 8], [9]]
    assert keys(other) == [[3, 4, 5], [6, 7]]


def test_no_gradient_flows_into_a_reset_sequence() -> None:
    cache = Cache.empty(CONFIG, 2, dtype=torch.float32)
    state = torch.ones(2, CONFIG.inner_size, 2, requires_grad=True)
    cache.mamba[MAMBA] = type(cache.mamba[MAMBA])(state, cache.mamba[MAMBA].history)
    restart(cache, [0])
    cache.mamba[MAMBA].state.sum().backward()
    assert state.grad.sum(dim=(1, 2)).tolist() == [0, 2 * CONFIG.inner_size]


def test_a_negative_memory_is_refused() -> None:
    with pytest.raises(ConfigError, match="attention_memory=-1: expected 0 or more"):
        carried(-1)
