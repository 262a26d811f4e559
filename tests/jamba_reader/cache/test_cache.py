"""The cache's laws, with layers so simple that what they must remember can be written down.

A token is a number. Keys and values are the number itself, the state a polynomial of all numbers so
far, the history the last of them: any mistake in who owns which token shows.
"""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from jamba_reader.cache.cache import Cache
from jamba_reader.cache.file import load_cache, save_cache
from jamba_reader.cache.mamba_state import MambaState, Mark
from jamba_reader.config import JambaConfig
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.segments import Segments
from jamba_reader.training.carried_state import restart
from spider.errors import ConfigError, DataError

CONFIG = JambaConfig(
    vocab_size=64, hidden_size=8, intermediate_size=8, num_hidden_layers=4, num_attention_heads=2,
    num_key_value_heads=1, attn_layer_period=2, attn_layer_offset=1, mamba_d_state=2,
    mamba_d_conv=3, mamba_dt_rank=2, num_experts=1,
)  # fmt: skip
Call = list[list[int]]


def fresh(sequences: int) -> Cache:
    return Cache.empty(CONFIG, sequences, dtype=torch.float32)


def read(cache: Cache, call: Call, *, recorded: bool = False) -> None:
    """Let every layer take a call's tokens, as a model does; with gradients recorded or not."""
    with torch.set_grad_enabled(recorded):
        _read(cache, call)


def _read(cache: Cache, call: Call) -> None:
    segments = Segments([len(tokens) for tokens in call])
    numbers = torch.tensor([float(token) for tokens in call for token in tokens])
    for layer, mixer in enumerate(CONFIG.mixers):
        before = cache.layer(layer)
        if isinstance(before, KeyValueMemory):
            assert mixer == "attention"
            rows = (numbers + layer)[:, None, None].expand(-1, 1, CONFIG.head_dim)
            cache.set_layer(layer, before.append(rows, -rows, segments))
            continue
        state, history = before.state.clone(), before.history.clone()
        for sequence, tokens in enumerate(call):
            for token in tokens:
                state[sequence] = (state[sequence] * 3 + token + layer) % 257
                history[sequence] = history[sequence].roll(-1, dims=0)
                history[sequence, -1] = token
        cache.set_layer(layer, MambaState(state, history))
    cache.advance(segments)


def check(cache: Cache, tokens: Call) -> None:
    """Compare with what layers must remember of these tokens."""
    assert cache.sequences == len(tokens)
    assert cache.lengths == [len(sequence) for sequence in tokens]
    for layer, memory in cache.memories.items():
        assert memory.lengths == cache.lengths
        assert memory.lengths_on("cpu").tolist() == cache.lengths
        for row, sequence in enumerate(tokens):
            expected = torch.tensor([token + layer for token in sequence]).float()
            keys = memory.keys[row, 0, : len(sequence)]
            assert torch.equal(keys, expected[:, None].expand(-1, CONFIG.head_dim))
            assert torch.equal(memory.values[row, 0, : len(sequence)], -keys)
    for layer, mamba in cache.mamba.items():
        for row, sequence in enumerate(tokens):
            state, history = 0.0, [0.0, 0.0, *sequence][-2:]
            for token in sequence:
                state = (state * 3 + token + layer) % 257
            assert (mamba.state[row] == state).all()
            assert torch.equal(mamba.history[row, :, 0], torch.tensor(history).float())


class CacheMachine(RuleBasedStateMachine):
    """Caches that are forked, selected, stacked, rolled back and saved, in any order."""

    folder: Path

    @initialize()
    def begin(self) -> None:
        self.caches: list[tuple[Cache, Call]] = [(fresh(2), [[], []])]
        self.marks: list[tuple[Cache, Mark, Call]] = []
        self.rollbacks: list[tuple[Cache, Mark]] = []

    def chosen(self, data: st.DataObject) -> int:
        return data.draw(st.integers(0, len(self.caches) - 1), label="cache")

    @rule(data=st.data(), longest=st.sampled_from([1, 2, 5]))
    def read_tokens(self, data: st.DataObject, longest: int) -> None:
        cache, tokens = self.caches[self.chosen(data)]
        token = st.integers(1, 250)
        least = 1 if data.draw(st.booleans(), label="one each") else 0
        longest = max(longest * (1 - least), least)
        call = [data.draw(st.lists(token, min_size=least, max_size=longest)) for _ in tokens]
        read(cache, call, recorded=data.draw(st.booleans(), label="recorded"))
        for sequence, more in zip(tokens, call, strict=True):
            sequence.extend(more)

    @precondition(lambda self: len(self.caches) < 4)
    @rule(data=st.data())
    def fork(self, data: st.DataObject) -> None:
        cache, tokens = self.caches[self.chosen(data)]
        self.caches.append((cache.fork(), [list(sequence) for sequence in tokens]))

    @rule(data=st.data())
    def select(self, data: st.DataObject) -> None:
        place = self.chosen(data)
        cache, tokens = self.caches[place]
        if not tokens:
            return
        rows = data.draw(st.lists(st.integers(0, len(tokens) - 1), max_size=3))
        cache.select(rows)
        self.caches[place] = (cache, [list(tokens[row]) for row in rows])
        self.marks = [mark for mark in self.marks if mark[0] is not cache]

    @rule(data=st.data())
    def restart(self, data: st.DataObject) -> None:
        cache, tokens = self.caches[self.chosen(data)]
        rows = [row for row in range(len(tokens)) if data.draw(st.booleans(), label="anew")]
        restart(cache, rows)
        for row in rows:
            tokens[row] = []
        if rows:
            self.marks = [mark for mark in self.marks if mark[0] is not cache]

    @precondition(lambda self: len(self.caches) > 1)
    @rule(data=st.data())
    def stack(self, data: st.DataObject) -> None:
        pairs = [self.caches[self.chosen(data)] for _ in range(2)]
        if sum(cache.sequences for cache, _ in pairs) <= 4:
            tokens = [list(sequence) for _, each in pairs for sequence in each]
            self.caches[self.chosen(data)] = (Cache.stack([cache for cache, _ in pairs]), tokens)

    @rule(data=st.data())
    def mark(self, data: st.DataObject) -> None:
        cache, tokens = self.caches[self.chosen(data)]
        self.marks.append((cache, cache.mark(), [list(sequence) for sequence in tokens]))

    @precondition(lambda self: self.marks)
    @rule(data=st.data())
    def rollback(self, data: st.DataObject) -> None:
        cache, mark, kept = data.draw(st.sampled_from(self.marks), label="mark")
        try:
            cache.rollback(mark)
        except DataError:
            assert any(c is cache and m.serial < mark.serial for c, m in self.rollbacks)
            self.marks = [known for known in self.marks if known[1] is not mark]
            return
        self.rollbacks.append((cache, mark))
        for held, tokens in self.caches:
            if held is cache:
                tokens[:] = [list(sequence) for sequence in kept]

    @rule(data=st.data(), reserved=st.integers(0, 50))
    def reserve(self, data: st.DataObject, reserved: int) -> None:
        cache, _ = self.caches[self.chosen(data)]
        cache.reserve(reserved)
        assert all(memory.capacity >= reserved for memory in cache.memories.values())

    @rule(data=st.data())
    def save_and_load(self, data: st.DataObject) -> None:
        place = self.chosen(data)
        cache, tokens = self.caches[place]
        save_cache(cache, self.folder / "state.safetensors", CONFIG)
        loaded = load_cache(self.folder / "state.safetensors", CONFIG)
        self.caches[place] = (loaded, [list(sequence) for sequence in tokens])

    @invariant()
    def everything_is_remembered(self) -> None:
        for cache, tokens in getattr(self, "caches", []):
            check(cache, tokens)


def test_caches_keep_their_laws(tmp_path: Path) -> None:
    machine: Any = type("Machine", (CacheMachine,), {"folder": tmp_path})
    case = machine.TestCase
    case.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
    case("runTest").runTest()


def test_a_mark_of_replaced_tokens_is_refused() -> None:
    cache = fresh(1)
    read(cache, [[1, 2]])
    early = cache.mark()
    read(cache, [[3]])
    late = cache.mark()
    cache.rollback(early)
    read(cache, [[4]])
    with pytest.raises(DataError, match="a rollback or selection has replaced its tokens"):
        cache.rollback(late)
    cache.rollback(early)
    check(cache, [[1, 2]])
    with pytest.raises(DataError, match="of another cache"):
        cache.fork().rollback(early)
    cache.select([0, 0])
    with pytest.raises(DataError, match="selection"):
        cache.rollback(early)


def test_a_mark_costs_the_state_only() -> None:
    cache = Cache.empty(CONFIG, 1, dtype=torch.float32, capacity=100)
    read(cache, [[1, 2, 3]])
    places = {layer: memory.keys.data_ptr() for layer, memory in cache.memories.items()}
    mark = cache.mark()
    read(cache, [[4]])
    cache.rollback(mark)
    read(cache, [[5]])
    check(cache, [[1, 2, 3, 5]])
    for layer, memory in cache.memories.items():
        assert memory.keys.data_ptr() == places[layer]


def test_a_call_that_ends_halfway_is_noticed_and_undone() -> None:
    cache = fresh(1)
    read(cache, [[1, 2]])
    mark = cache.mark()
    state = cache.layer(0)
    assert isinstance(state, MambaState)
    cache.set_layer(0, MambaState(state.state + 1, state.history))
    # here the machine ran out of memory, and somebody tries again
    with pytest.raises(DataError, match="failed halfway"):
        read(cache, [[3]])
    with pytest.raises(DataError, match="failed halfway"):
        cache.mark()
    cache.rollback(mark)
    read(cache, [[3]])
    check(cache, [[1, 2, 3]])


def attention_first(cache: Cache) -> None:
    """A call that dies when the attention layer has written its keys, and no other layer anything.

    As where the first layer is one of attention.
    """
    rows = torch.ones(1, 1, CONFIG.head_dim)
    cache.memories[1].append(rows, rows, Segments([1]))


def mamba_only(cache: Cache) -> None:
    """A call that dies when the first Mamba layer is done."""
    cache.set_layer(0, MambaState(cache.mamba[0].state + 1, cache.mamba[0].history))


def selection(cache: Cache) -> None:
    """A selection for whose second layer memory does not suffice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MambaState, "__init__", lambda *_: torch.empty(-1))
        with pytest.raises(RuntimeError):
            cache.select([0, 0])


@torch.no_grad()
@pytest.mark.parametrize("die", [attention_first, mamba_only, selection])
def test_nobody_takes_a_cache_whose_call_ended_halfway(
    tmp_path: Path, die: Callable[[Cache], None]
) -> None:
    cache = fresh(1)
    read(cache, [[1, 2]])
    mark = cache.mark()
    die(cache)
    takers: list[Callable[[], object]] = [
        lambda: read(cache, [[3]]),
        cache.fork,
        lambda: Cache.stack([fresh(1), cache]),
        lambda: save_cache(cache, tmp_path / "a", CONFIG),
        cache.mark,
        lambda: cache.select([0]),
    ]
    for take in takers:
        with pytest.raises(DataError, match="failed halfway"):
            take()
    assert not (tmp_path / "a").exists()
    if die is selection:
        return
    cache.rollback(mark)
    read(cache, [[3]])
    check(cache, [[1, 2, 3]])


def test_selecting_no_such_sequence_is_refused() -> None:
    with pytest.raises(DataError, match=r"sequences \[2\] of a cache of 2"):
        fresh(2).select([2])
    with pytest.raises(DataError, match="at least one"):
        Cache.stack([])


def test_bytes_are_those_of_its_tensors() -> None:
    cache = Cache.empty(CONFIG, 3, dtype=torch.bfloat16, capacity=10)
    attention = 2 * 2 * 3 * 1 * 10 * 4 * 2  # layers, keys and values, sequences, heads, …
    states = 2 * 3 * 16 * 2 * 4
    histories = 2 * 3 * 2 * 16 * 2
    assert cache.nbytes() == attention + states + histories
    assert cache.mamba[0].state.dtype == torch.float32


def test_room_not_written_to_has_no_memory_yet() -> None:
    cache = Cache.empty(CONFIG, 2, dtype=torch.float32, capacity=1000)
    states = fresh(2).nbytes()
    assert cache.held_bytes(1000) == states
    read(cache, [[1, 2, 3], [4]])
    token = 2 * 2 * 4 * 4  # layers, keys and values, numbers, bytes
    assert cache.held_bytes(1000) == states + 4 * token
    assert cache.held_bytes(2) == states + 3 * token
    # no CPU: memory is allocated at once
    reserved = Cache.empty(CONFIG, 2, dtype=torch.float32, device="meta", capacity=10)
    assert reserved.held_bytes(1000) == reserved.nbytes()
    assert reserved.held_bytes(4) == states + 2 * 4 * token


def test_more_room_than_there_is_memory_is_refused_with_the_number() -> None:
    cache = fresh(2)
    read(cache, [[1], [2]])
    size = 2 * 2 * 4 * 4 * 2 * 2**48  # layers, keys and values, numbers, bytes, sequences, tokens
    words = f"2 x {2**48:,} tokens needs .* GiB .{size:,} bytes., more than cpu can allocate"
    with pytest.raises(ConfigError, match=words):
        cache.reserve(2**48)
    check(cache, [[1], [2]])
    with pytest.raises(ConfigError, match=f"2 x {2**48:,} tokens needs .* GiB .*more than cpu"):
        Cache.empty(CONFIG, 2, dtype=torch.float32, capacity=2**48)


def differentiable(cache: Cache, scale: Tensor) -> None:
    """Two tokens whose keys and states depend on ``scale``."""
    segments = Segments([2])
    for layer in range(CONFIG.num_hidden_layers):
        before = cache.layer(layer)
        if isinstance(before, KeyValueMemory):
            rows = scale * torch.ones(2, 1, CONFIG.head_dim)
            cache.set_layer(layer, before.append(rows, rows, segments))
        else:
            cache.set_layer(layer, MambaState(before.state + scale, before.history + scale))
    cache.advance(segments)


@pytest.mark.parametrize(("cut", "expected"), [(False, 2.0), (True, 1.0)])
def test_detaching_cuts_the_gradient(cut: bool, expected: float) -> None:
    scale = torch.ones((), requires_grad=True)
    cache = fresh(1)
    differentiable(cache, scale)
    if cut:
        cache.detach()
    differentiable(cache, scale)
    for total in (cache.memories[1].values.mean(), cache.mamba[0].state.mean()):
        (gradient,) = torch.autograd.grad(total, scale, retain_graph=True)
        wanted = expected / 2 if total.item() == 1 else expected
        assert gradient.item() == pytest.approx(wanted)


def test_appending_with_gradients_leaves_the_memory_as_it_was() -> None:
    """A checkpointed layer is computed twice from the same memory."""
    before = fresh(1).memories[1]
    key = torch.ones(3, 1, CONFIG.head_dim, requires_grad=True)
    twice = [before.append(key, key, Segments([3])) for _ in range(2)]
    assert before.lengths == [0]
    assert [after.lengths for after in twice] == [[3], [3]]


def test_a_checkpointed_layer_of_frozen_keys_appends_once() -> None:
    before = fresh(1).memories[1]
    rows = torch.ones(3, 1, CONFIG.head_dim)
    scale = torch.ones((), requires_grad=True)
    lengths = []

    def layer() -> Tensor:
        after = before.append(rows, rows, Segments([3]))
        lengths.append(after.lengths)
        return (after.keys[:, :, :3] * scale).sum()

    checkpoint(layer, use_reentrant=False).backward()
    assert lengths == [[3], [3]]
    assert before.lengths == [0]


@pytest.mark.parametrize("recorded", [False, True])
def test_a_cache_of_no_sequences_reads_on(recorded: bool) -> None:
    cache = fresh(1)
    read(cache, [[1, 2]])
    cache.select([])
    read(cache, [], recorded=recorded)
    check(cache, [])


def copied_tokens(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count how often a memory's tensors are copied."""
    moves: list[int] = []
    original = KeyValueMemory._move

    def move(memory: KeyValueMemory, capacity: int) -> None:
        moves.append(capacity)
        original(memory, capacity)

    monkeypatch.setattr(KeyValueMemory, "_move", move)
    return lambda: len(moves)


def test_one_of_two_forks_goes_on_without_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache.empty(CONFIG, 1, dtype=torch.float32, capacity=20)
    read(cache, [[1, 2, 3]])
    moves = copied_tokens(monkeypatch)
    snapshot = cache.fork()
    read(cache, [[4]])
    read(cache, [[5]])
    assert moves() == 0
    again = snapshot.fork()
    read(again, [[6]])
    assert moves() == len(cache.memories)
    check(cache, [[1, 2, 3, 4, 5]])
    check(snapshot, [[1, 2, 3]])
    check(again, [[1, 2, 3, 6]])


def test_a_fork_and_a_mark_own_their_states() -> None:
    """A kernel that writes a state in place spoils neither."""
    cache = fresh(1)
    read(cache, [[1, 2]])
    mark, forked = cache.mark(), cache.fork()
    for _ in range(2):
        cache.mamba[0].state.zero_()
        cache.mamba[0].history.zero_()
        cache.rollback(mark)
    for whole in (cache, forked):
        check(whole, [[1, 2]])


@torch.no_grad()
def test_a_fork_that_begins_anew_leaves_the_other_as_it_was() -> None:
    cache = Cache.empty(CONFIG, 2, dtype=torch.float32, capacity=20)
    read(cache, [[1, 2, 3], [4, 5, 6]])
    forked = cache.fork()
    mark = forked.mark()
    restart(forked, [0])
    read(forked, [[7, 8, 9, 10], []])
    check(cache, [[1, 2, 3], [4, 5, 6]])
    check(forked, [[7, 8, 9, 10], [4, 5, 6]])
    with pytest.raises(DataError, match="has replaced its tokens"):
        forked.rollback(mark)


@torch.no_grad()
def test_room_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a selection at every step, as of beams, nor a fork loses or adds any."""
    moves = copied_tokens(monkeypatch)
    cache = Cache.empty(CONFIG, 1, dtype=torch.float32, capacity=20)
    for token in range(10):
        read(cache, [[token], [token]][: cache.sequences])
        cache.select([0, 0])
    assert moves() == 0
    check(cache, [list(range(10))] * 2)
    kept = cache.fork()
    read(cache, [[1], [1]])
    read(kept, [[2], [2]])
    assert moves() == len(kept.memories)
    assert all(
        memory.capacity == 20 for memory in (*cache.memories.values(), *kept.memories.values())
    )
    check(kept, [[*range(10), 2]] * 2)


@torch.no_grad()
def test_memory_for_keys_but_not_for_values(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache.empty(CONFIG, 1, dtype=torch.float32, capacity=3)
    read(cache, [[1, 2]])
    reserved, made = torch.Tensor.new_empty, list[Tensor]()

    def once(like: Tensor, *shape: Any) -> Tensor:
        if made:
            raise RuntimeError("no memory")
        made.append(reserved(like, *shape))
        return made[0]

    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "new_empty", once)
        with pytest.raises(RuntimeError, match="no memory"):
            cache.memories[1].reserve(50)
    assert cache.memories[1].capacity == 3
    read(cache, [[3, 4, 5]])
    check(cache, [[1, 2, 3, 4, 5]])


def test_growth_is_amortised(monkeypatch: pytest.MonkeyPatch) -> None:
    moves = copied_tokens(monkeypatch)
    cache = fresh(1)
    for token in range(400):
        read(cache, [[token % 200]])
    assert moves() <= 10 * len(cache.memories)
    reserved = fresh(1)
    reserved.reserve(50)
    before = moves()
    for token in range(50):
        read(reserved, [[token]])
    assert moves() == before


def test_segments_must_be_those_of_the_sequences() -> None:
    with pytest.raises(DataError, match="1 segments for a memory of 2 sequences"):
        fresh(2).memories[1].append(torch.ones(1, 1, 4), torch.ones(1, 1, 4), Segments([1]))


def test_a_memory_made_in_inference_mode_goes_on_outside() -> None:
    with torch.inference_mode():
        cache = fresh(1)
        read(cache, [[1, 2]])
    read(cache, [[3]])
    check(cache, [[1, 2, 3]])


@torch.no_grad()
def test_room_made_in_inference_mode_is_written_outside() -> None:
    with torch.inference_mode():
        cache = Cache.empty(CONFIG, 2, dtype=torch.float32, capacity=8)
        read(cache, [[1, 2], [3]])
        stacked = Cache.stack([cache, cache])
        cache.select([1, 0])
    read(cache, [[4], [5]])
    check(cache, [[3, 4], [1, 2, 5]])
    read(stacked, [[], [6], [], []])
    check(stacked, [[1, 2], [3, 6], [1, 2], [3]])


@pytest.mark.parametrize(("sequences", "capacity"), [(-1, 0), (1, -1), (1, 10**30)])
def test_sizes_that_cannot_be_are_one_line(sequences: int, capacity: int) -> None:
    with pytest.raises(ConfigError, match="a cache for"):
        Cache.empty(CONFIG, sequences, dtype=torch.float32, capacity=capacity)


def test_caches_of_different_models_are_not_stacked() -> None:
    wider = dataclasses.replace(CONFIG, mamba_d_state=CONFIG.mamba_d_state + 1)
    cache = Cache.empty(CONFIG, 1, dtype=torch.float32)
    for other in (
        Cache.empty(CONFIG, 1, dtype=torch.bfloat16),
        Cache.empty(wider, 1, dtype=torch.float32),
    ):
        with pytest.raises(DataError, match="cannot be stacked"):
            Cache.stack([cache, other])


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, copy.copy, lambda cache: pickle.loads(pickle.dumps(cache))]
)
def test_a_copy_or_a_pickle_is_a_cache_of_its_own(copied: Callable[[Any], Any]) -> None:
    cache = Cache.empty(CONFIG, 2, dtype=torch.float32, capacity=40)
    read(cache, [[1, 2, 3], [4]])
    mark, fork = cache.mark(), cache.fork()
    other = copied(cache)
    # forks that are copied together share no memory either
    pair = copied([cache, fork])
    for place, held in enumerate((cache, other, fork, *(pair if pair[0] is not cache else ()))):
        read(held, [[5 + place], []])
        check(held, [[1, 2, 3, 5 + place], [4]])
    check(other, [[1, 2, 3, 6], [4]])
    with pytest.raises(DataError, match="this mark is of another cache"):
        other.rollback(mark)
    cache.rollback(mark)
    check(cache, [[1, 2, 3], [4]])
    other.rollback(other.mark())


def test_a_cache_of_another_dtype_or_device_does_not_fit() -> None:
    cpu = torch.device("cpu")
    fresh(1).check_fits(CONFIG, torch.float32, cpu)
    for dtype, device in ((torch.bfloat16, cpu), (torch.float32, torch.device("meta"))):
        with pytest.raises(DataError, match="made for another data type or device"):
            fresh(1).check_fits(CONFIG, dtype, device)
    # layers compute in another dtype there
    with torch.autocast("cpu", dtype=torch.bfloat16):
        fresh(1).check_fits(CONFIG, torch.bfloat16, cpu)
    with pytest.raises(ConfigError, match="expected float32, bfloat16"):
        Cache.empty(CONFIG, 1, dtype=torch.int32)
