"""Attention of prompts: against a loop over single queries, for any split, in bounded memory."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from jamba_reader.ops.attention.cpu.prefill import launch as cpu_prefill
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.attention.op import attention
from jamba_reader.ops.segments import Segments
from spider.kernels.processor import has_feature

Operands = tuple[Tensor, Tensor, Tensor]
IMPLEMENTATIONS = ("reference", "cpu", "triton")
GROUPS = ((4, 4), (6, 2), (5, 1))
SCALE = 0.3


def operands(
    tokens: int,
    heads: int = 4,
    kv_heads: int = 2,
    head_dim: int = 8,
    *,
    dtype: torch.dtype = torch.float32,
    size: float = 1.0,
    seed: int = 0,
) -> Operands:
    """Query, key and value; views of one wider matrix, as a projection could leave them."""
    generator = torch.Generator().manual_seed(seed)
    width = (heads + 2 * kv_heads) * head_dim
    wide = size * torch.randn(tokens, width, generator=generator, dtype=torch.float64)
    rows = wide.to(dtype).view(tokens, heads + 2 * kv_heads, head_dim)
    query, key, value = rows.split([heads, kv_heads, kv_heads], dim=1)
    return query, key, value


def by_single_queries(query: Tensor, key: Tensor, value: Tensor, lengths: Sequence[int]) -> Tensor:
    """Softmax over the visible keys, one query of one head at a time, in float64."""
    query, key, value = query.double(), key.double(), value.double()
    group = query.shape[1] // key.shape[1]
    result = torch.empty_like(query)
    start = 0
    for length in lengths:
        for token in range(start, start + length):
            for head in range(query.shape[1]):
                seen = slice(start, token + 1)
                scores = SCALE * key[seen, head // group] @ query[token, head]
                weights = (scores - scores.max()).exp()
                result[token, head] = weights @ value[seen, head // group] / weights.sum()
        start += length
    return result


def empty_memory(key: Tensor, sequences: int) -> KeyValueMemory:
    _, kv_heads, head_dim = key.shape
    return KeyValueMemory.empty(sequences, kv_heads, head_dim, dtype=key.dtype, device="cpu")


def in_calls(
    given: Operands, lengths: Sequence[int], calls: Sequence[Sequence[int]], implementation: Any
) -> Tensor:
    """Attend call by call; ``calls[c][s]`` tokens of sequence s in call c, then the rest."""
    starts = Segments(lengths).starts
    taken = [0] * len(lengths)
    memory = empty_memory(given[1], len(lengths))
    result = [torch.empty(0)] * sum(lengths)
    for call in (*calls, lengths):
        counts = [
            min(want, length - have)
            for want, length, have in zip(call, lengths, taken, strict=True)
        ]
        rows = [
            start + have + i
            for start, have, count in zip(starts, taken, counts, strict=False)
            for i in range(count)
        ]
        query, key, value = (tensor[rows] for tensor in given)
        segments = Segments(counts)
        memory = memory.append(key, value, segments)
        found = attention(
            query, key, value, segments, memory, scale=SCALE, implementation=implementation
        )
        for row, output in zip(rows, found, strict=True):
            result[row] = output
        taken = [have + count for have, count in zip(taken, counts, strict=True)]
    return torch.stack(result)


def with_bound(given: Operands, lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the exact output, and by how much the roundings of bfloat16 may change it.

    A rounding to bfloat16 has a relative error of at most u = 2^-8. The kernels round the
    softmax's weights p once, PyTorch's merging of two parts rounds each part as well, and the
    output is rounded once: the error is at most 2 u sum(p |v|) + u |output|. The remaining 1 % is
    for float32 and for terms in u^2.
    """
    query, key, value = given
    expected = by_single_queries(query, key, value, lengths)
    magnitude = by_single_queries(query, key, value.abs(), lengths)
    return expected, 1.01 * 2**-8 * (2 * magnitude + expected.abs())


@pytest.mark.parametrize(("heads", "kv_heads"), GROUPS)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_packed_sequences_see_themselves_only(
    implementation: Any, heads: int, kv_heads: int
) -> None:
    lengths = (5, 0, 1, 7, 7, 2)
    given = operands(sum(lengths), heads, kv_heads)
    found = attention(*given, Segments(lengths), scale=SCALE, implementation=implementation)
    expected = by_single_queries(*given, lengths)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)


@settings(max_examples=25)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    data=st.data(),
    implementation=st.sampled_from(IMPLEMENTATIONS),
    group=st.sampled_from(GROUPS),
)
def test_any_split_gives_the_whole(
    lengths: list[int], data: st.DataObject, implementation: Any, group: tuple[int, int]
) -> None:
    counts = st.lists(st.integers(0, 4), min_size=len(lengths), max_size=len(lengths))
    calls = data.draw(st.lists(counts | st.just([1] * len(lengths)), max_size=5))
    given = operands(sum(lengths), *group, dtype=torch.float32)
    found = in_calls(given, lengths, calls, implementation)
    expected = by_single_queries(*given, lengths)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("calls", [[], [(40, 3)], [(1, 60), (30, 1)]])
def test_bfloat16_is_as_good_as_its_inputs(calls: list[tuple[int, int]]) -> None:
    lengths = (64, 70)
    given = operands(sum(lengths), dtype=torch.bfloat16)
    found = in_calls(given, lengths, calls, "cpu")
    assert found.dtype == torch.bfloat16
    expected, bound = with_bound(given, lengths)
    assert ((found.double() - expected).abs() <= bound).all()


@pytest.fixture(params=["the faster kernel", "the kernel in lanes"])
def _kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the kernel in lanes also where PyTorch's is faster because it uses AMX."""
    if request.param == "the kernel in lanes":
        monkeypatch.setitem(cpu_prefill._HERE, torch.bfloat16, has_feature("avx512bf16"))


@pytest.mark.usefixtures("_kernel")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("heads", "kv_heads", "head_dim"), [(4, 4, 16), (6, 2, 48), (5, 1, 64)])
def test_in_lanes_any_split_and_any_threads_give_the_same_bits(
    dtype: torch.dtype, heads: int, kv_heads: int, head_dim: int
) -> None:
    """The AVX-512 kernel promises the same bits; PyTorch's, elsewhere, the same up to roundings.

    PyTorch's results of two splits are not compared with each other: each has its own roundings,
    so their difference may be twice as large as the bound.
    """
    lengths = (150, 1, 0, 71)
    given = operands(sum(lengths), heads, kv_heads, head_dim, dtype=dtype)
    whole = attention(*given, Segments(lengths), scale=SCALE)
    splits = [], [(64, 0, 0, 2)], [(3, 1, 0, 70), (100, 0, 0, 0)]
    found = [whole, *(in_calls(given, lengths, calls, "auto") for calls in splits)]
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        found.append(attention(*given, Segments(lengths), scale=SCALE))
    finally:
        torch.set_num_threads(threads)
    expected, bound = with_bound(given, lengths)
    for other in found:
        if dtype == torch.bfloat16:
            assert ((other.double() - expected).abs() <= bound).all()
        else:
            torch.testing.assert_close(other.double(), expected, rtol=1e-5, atol=1e-5)
        if cpu_prefill.does(*given, None, SCALE):
            assert torch.equal(other, whole)


@pytest.mark.usefixtures("_kernel")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_in_lanes_what_lies_behind_a_memory_is_not_read(dtype: torch.dtype) -> None:
    query, key, value = operands(70, 4, 2, 16, dtype=dtype)
    memory = empty_memory(key, 1)
    memory.reserve(200)
    for room in (memory.keys, memory.values):
        room.fill_(float("nan"))
    memory = memory.append(key, value, Segments([70]))
    found = attention(query, key, value, Segments([70]), memory, scale=SCALE)
    assert torch.equal(found, attention(query, key, value, Segments([70]), scale=SCALE))


@pytest.mark.parametrize("calls", [[], [(9, 2)], [(2, 5), (4, 0), (3, 3)]])
@pytest.mark.parametrize("implementation", ["reference", "cpu"])
def test_gradients_flow_through_the_memory(
    implementation: Any, calls: list[tuple[int, int]]
) -> None:
    """A later call's loss reaches the keys of an earlier one, as if there had been one call."""
    lengths = (12, 8)
    given = operands(sum(lengths), dtype=torch.float64)
    wanted = [tensor.clone().requires_grad_() for tensor in given]
    outer = operands(sum(lengths), seed=1)[0]
    by_single_queries(*wanted, lengths).backward(outer.double())
    leaves = [tensor.float().requires_grad_() for tensor in given]
    query, key, value = leaves
    in_calls((query, key, value), lengths, calls, implementation).backward(outer)
    for leaf, expected in zip(leaves, wanted, strict=True):
        assert leaf.grad is not None
        torch.testing.assert_close(leaf.grad.double(), expected.grad, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("calls", [[], [(3,), (1,), (1,)]])
@pytest.mark.parametrize("head_dim", [8, 16])
def test_scores_of_ten_thousand_make_no_nan(
    implementation: Any, calls: list[tuple[int]], head_dim: int
) -> None:
    query, key, value = operands(12, head_dim=head_dim, size=100.0)
    scores = torch.einsum("qhd,kgd->hgqk", query, key) * SCALE
    assert scores.max() > 1e4
    assert scores.min() < -1e4
    found = in_calls((query, key, value), (12,), calls, implementation)
    expected = by_single_queries(query, key, value, (12,))
    torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=0.05)


@pytest.mark.usefixtures("_kernel")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("place", [0, 50])
@pytest.mark.parametrize("calls", [[], [(1,)], [(49,), (3,)], [(60,), (1,)]])
@pytest.mark.parametrize("training", [False, True])
def test_what_is_not_a_number_stays_so(
    part: int,
    bad: float,
    dtype: torch.dtype,
    place: int,
    calls: list[tuple[int]],
    training: bool,
) -> None:
    """In the output and, in training, in the gradients of the queries that have such an output."""
    query, key, value = (tensor.clone() for tensor in operands(90, head_dim=16, dtype=dtype))
    (query, key)[part][place, 1, 3] = bad
    expected = in_calls((query, key, value), (90,), calls, "reference").isnan()
    assert expected.any()
    query.requires_grad_(training)
    found = in_calls((query, key, value), (90,), calls, "cpu")
    assert torch.equal(found.isnan(), expected)
    if training:
        found.sum().backward()
        assert query.grad is not None
        assert query.grad[expected.any(-1)].isnan().any(-1).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_later_tokens_weigh_nothing(dtype: torch.dtype) -> None:
    query, key, value = operands(40, head_dim=16, dtype=dtype)
    before = attention(query, key, value, Segments([40]), scale=SCALE, implementation="cpu")
    value[-1] = 1e30
    after = attention(query, key, value, Segments([40]), scale=SCALE, implementation="cpu")
    assert torch.equal(after[:-1], before[:-1])


class LargestTensor(TorchDispatchMode):
    """Notes the elements of the largest tensor that any operation returns."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        found = function(*args, **(kwargs or {}))
        for tensor in found if isinstance(found, (tuple, list)) else (found,):
            if isinstance(tensor, Tensor):
                self.elements = max(self.elements, tensor.numel())
        return found


@pytest.mark.parametrize(("implementation", "bounded"), [("cpu", True), ("reference", False)])
@pytest.mark.parametrize("training", [False, True])
def test_no_matrix_of_all_scores(implementation: Any, bounded: bool, training: bool) -> None:
    """In inference and in training, for a prompt and its continuation; the reference has one."""
    new, past = 150, 150
    query, key, value = operands(past + new)
    before = empty_memory(key, 1).append(key[:past], value[:past], Segments([past]))
    query, key, value = (t[past:].clone().requires_grad_(training) for t in (query, key, value))
    segments = Segments([new])
    with LargestTensor() as largest:
        for memory in (None, before.append(key, value, segments)):
            found = attention(
                query, key, value, segments, memory, scale=SCALE, implementation=implementation
            )
            if training:
                found.sum().backward()
    assert (largest.elements < new * new) == bounded


def test_dropout_keeps_the_mean() -> None:
    tokens = 40
    query, key, _ = operands(tokens)
    value = torch.ones_like(key)
    segments = Segments([tokens])
    torch.manual_seed(0)
    found = [attention(query, key, value, segments, scale=SCALE, dropout=0.25) for _ in range(30)]
    assert not torch.equal(found[0], found[1])
    torch.testing.assert_close(torch.stack(found).mean(), torch.tensor(1.0), rtol=0, atol=0.03)


def test_a_batch_of_nothing() -> None:
    segments = Segments([0, 0])
    query, key, value = operands(0)
    memory = empty_memory(key, 2).append(key, value, segments)
    for held in (None, memory):
        assert attention(query, key, value, segments, held, scale=SCALE).shape == (0, 4, 8)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
@pytest.mark.parametrize("implementation", ["auto", "cpu"])
def test_types_that_the_decode_kernel_does_not_know(
    dtype: torch.dtype, implementation: Any
) -> None:
    given = operands(6, dtype=dtype)
    found = in_calls(given, (6,), [(3,), (1,), (1,)], implementation)
    assert found.dtype == dtype
    expected = by_single_queries(*given, (6,))
    torch.testing.assert_close(found.double(), expected, rtol=2e-3, atol=2e-3)
