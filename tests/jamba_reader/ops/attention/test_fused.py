"""Prompts through PyTorch's fused kernels: runs of sequences, past and present, and NaN."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from jamba_reader.ops.attention.fused import _attended, _with_nan, prefill_attention, runs
from jamba_reader.ops.attention.reference import attention, attention_with_memory
from jamba_reader.ops.segments import Segments

SHAPES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=8)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@given(SHAPES)
def test_runs_cover_every_token_in_batches_of_equal_sequences(
    shapes: list[tuple[int, int]],
) -> None:
    new, past = ([shape[place] for shape in shapes] for place in (0, 1))
    segments = Segments(new)
    lengths = [a + b for a, b in zip(new, past, strict=True)]
    rows = []
    for run in runs(segments, lengths):
        count = run.sequences.stop - run.sequences.start
        tokens = run.rows.stop - run.rows.start
        for sequence in range(run.sequences.start, run.sequences.stop):
            assert new[sequence] == tokens // count > 0
            assert past[sequence] == run.past
        rows += range(run.rows.start, run.rows.stop)
    assert rows == list(range(segments.total))


@given(SHAPES)
def test_neighbouring_runs_differ(shapes: list[tuple[int, int]]) -> None:
    """So there are no more calls of a kernel than needed."""
    segments = Segments([new for new, _ in shapes])
    found = list(runs(segments, [new + past for new, past in shapes]))
    for one, other in itertools.pairwise(found):
        if one.sequences.stop == other.sequences.start:
            assert shapes[one.sequences.start] != shapes[other.sequences.start]


def test_without_a_memory_there_is_no_past() -> None:
    found = list(runs(Segments([2, 2, 0, 1]), None))
    assert [(run.sequences, run.rows, run.past) for run in found] == [
        (slice(0, 2), slice(0, 4), 0),
        (slice(3, 4), slice(4, 5), 0),
    ]


def with_gradients(attend, operands: list[Tensor]) -> list[Tensor]:
    leaves = [tensor.detach().clone().requires_grad_() for tensor in operands]
    found = attend(*leaves)
    found.backward(drawn(*found.shape, seed=9))
    return [found.detach(), *(leaf.grad for leaf in leaves)]


@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 4), (6, 2), (3, 1)])
def test_past_and_present_make_the_whole(heads: int, kv_heads: int) -> None:
    """Values and gradients, of sequences with and without a past."""
    segments, lengths = Segments([3, 3, 0, 2]), (5, 5, 4, 2)
    query, key, value = drawn(8, heads, 8), drawn(8, kv_heads, 8, seed=1), drawn(8, kv_heads, 8)
    held = [drawn(4, kv_heads, 6, 8, seed=seed) for seed in (3, 4)]

    def in_memory(keys: Tensor, tokens: Tensor) -> Tensor:
        """The memory with the new tokens at the end."""
        rows = []
        for sequence, (rows_of, length) in enumerate(zip(segments.slices, lengths, strict=True)):
            new = tokens[rows_of].transpose(0, 1)
            before = keys[sequence, :, : length - new.shape[1]]
            blank = keys.new_zeros(kv_heads, 6 - length, 8)
            rows.append(torch.cat([before, new, blank], 1))
        return torch.stack(rows)

    def fused(query, key, value, keys, values):
        memory = in_memory(keys, key), in_memory(values, value), lengths
        return prefill_attention(query, key, value, segments, memory, scale=0.3)

    def reference(query, key, value, keys, values):
        memory = in_memory(keys, key), in_memory(values, value)
        return attention_with_memory(query, *memory, segments, lengths, scale=0.3)

    operands = [query, key, value, *held]
    for ours, theirs in zip(
        with_gradients(fused, operands), with_gradients(reference, operands), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(fused(*operands), reference(*operands), rtol=1e-5, atol=1e-5)


def test_rows_of_a_wider_matrix_are_read_in_place() -> None:
    wide = drawn(7, 8, 16)
    query, key, value = wide.split([4, 2, 2], dim=1)
    segments = Segments([7])
    found = prefill_attention(query, key, value, segments, None, scale=0.3)
    expected = attention(query, key, value, segments, scale=0.3)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_no_tokens() -> None:
    empty = torch.empty(0, 2, 8)
    found = prefill_attention(empty, empty, empty, Segments([0, 0]), None, scale=1.0)
    assert found.shape == (0, 2, 8)


def test_a_sum_that_is_one_is_not_taken_for_empty() -> None:
    """The log of a sum of 1 is exactly 0, as of the kernel's empty rows; it must stay finite."""
    query, key, value = torch.zeros(1, 1, 1, 8), drawn(1, 1, 1, 8), drawn(1, 1, 1, 8)
    output, log = _attended(query, key, value, True, 1.0)
    assert log.item() == 0
    assert torch.equal(output, value)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_a_score_that_is_no_number_makes_the_log_so(bad: float) -> None:
    query, key, value = torch.ones(1, 1, 1, 8), drawn(1, 1, 3, 8), drawn(1, 1, 3, 8)
    key[0, 0, :, 2] = bad
    output, log = _attended(query, key, value, False, 1.0)
    assert not log.isfinite().any()
    assert _with_nan(output, log).isnan().all()


def test_finite_rows_are_returned_as_they_are() -> None:
    output, log = drawn(1, 2, 3, 4), torch.zeros(1, 2, 3)
    assert _with_nan(output, log) is output
    log[0, 1, 2] = torch.inf
    found = _with_nan(output, log)
    assert found[0, 1, 2].isnan().all()
    assert torch.equal(found[0, 0], output[0, 0])
    assert torch.equal(found[0, 1, :2], output[0, 1, :2])
