"""Attention of one token per sequence: kernels against the reference, values and gradients."""

from typing import Any

import pytest
import torch
from torch import Tensor

from jamba_reader.ops.attention import reference
from jamba_reader.ops.attention.cpu import layout as cpu_layout
from jamba_reader.ops.attention.gpu import launch as gpu
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.attention.op import attention, decode_attention
from jamba_reader.ops.segments import Segments

#: heads, kv_heads, head_dim, lengths; lanes and tiles both filled and not
SHAPES = (
    (2, 2, 16, (1,)),
    (3, 1, 24, (33, 5)),
    (8, 2, 16, (70, 1, 32)),
    (5, 1, 64, (40, 64)),
)
KERNELS = ("cpu", "triton")


def memory_of(
    heads: int, kv_heads: int, head_dim: int, lengths: tuple[int, ...], dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, keys and values; behind what is held there is what an allocator left."""
    generator = torch.Generator().manual_seed(sum(lengths))
    sequences, capacity = len(lengths), max(lengths) + 3
    query = torch.randn(sequences, heads, head_dim, generator=generator)
    held = torch.randn(2, sequences, kv_heads, capacity, head_dim, generator=generator)
    for sequence, length in enumerate(lengths):
        held[:, sequence, :, length:] = torch.nan
    return query.to(dtype), held[0].to(dtype), held[1].to(dtype)


def with_gradients(
    operands: tuple[Tensor, ...], lengths: tuple[int, ...], implementation: Any
) -> list[Tensor]:
    """Result and gradients, in float64."""
    leaves = [tensor.clone().requires_grad_() for tensor in operands]
    query, keys, values = leaves
    found = decode_attention(
        query, keys, values, torch.tensor(lengths), 0.3, implementation=implementation
    )
    outer = torch.randn(found.shape, generator=torch.Generator().manual_seed(5))
    found.backward(outer.to(found.dtype))
    return [found.detach().double()] + [leaf.grad.double() for leaf in leaves]  # type: ignore[union-attr]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_agree_with_the_reference(
    kernel: str, shape: tuple[int, int, int, tuple[int, ...]], dtype: torch.dtype
) -> None:
    lengths = shape[3]
    operands = memory_of(*shape, dtype)
    expected = with_gradients(tuple(t.double() for t in operands), lengths, "reference")
    found = with_gradients(operands, lengths, kernel)
    # the interpreter drops what does not fit a bfloat16 where a GPU rounds
    fine = 1e-5 if dtype == torch.float32 else 0.02
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=fine, atol=fine)


@pytest.mark.parametrize("kernel", KERNELS)
def test_pieces_of_a_long_memory_make_the_whole(
    kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Split over several workers and pieces, some of them empty for the shorter sequences."""
    monkeypatch.setattr(cpu_layout, "_WORTH_THREADS", 0)
    monkeypatch.setattr(cpu_layout, "_PIECE_TOKENS", 32)
    monkeypatch.setattr(gpu, "_LEAST_SHARE", 64)
    lengths = (290, 31, 1)
    operands = memory_of(4, 2, 16, lengths, torch.float32)
    expected = with_gradients(tuple(t.double() for t in operands), lengths, "reference")
    found = with_gradients(operands, lengths, kernel)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
def test_extreme_scores(kernel: Any) -> None:
    """The largest score takes all; equal ones share; the smallest take nothing, and no NaN."""
    keys = torch.tensor([-1e4, 1e4, 1e4, 0.0]).view(1, 1, 4, 1).expand(1, 1, 4, 16).contiguous()
    values = torch.arange(4.0).view(1, 1, 4, 1).expand(1, 1, 4, 16).contiguous()
    lengths = torch.tensor([4])
    for query, expected in ((1.0, 1.5), (-1.0, 0.0), (0.0, 1.5), (1e-9, 1.5)):
        found = decode_attention(
            torch.full((1, 2, 16), query), keys, values, lengths, 1.0, implementation=kernel
        )
        torch.testing.assert_close(found, torch.full_like(found, expected), rtol=1e-3, atol=1e-30)


@pytest.mark.parametrize(
    ("kernel", "bad"),
    # Triton's interpreter warns of infinity
    [("cpu", torch.nan), ("cpu", torch.inf), ("triton", torch.nan)],
)
def test_what_is_not_a_number_stays_so(kernel: Any, bad: float) -> None:
    query, keys, values = memory_of(2, 2, 16, (70, 40), torch.float32)
    query, keys = query.abs(), keys.abs()
    keys[1, 0, 35, 3] = bad
    found = decode_attention(
        query, keys, values, torch.tensor([70, 40]), 0.3, implementation=kernel
    )
    assert found[1, 0].isnan().all()
    assert found[0].isfinite().all()
    assert found[1, 1].isfinite().all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of Triton's interpreter
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_scores_of_minus_infinity_alone_make_nan(kernel: Any, dtype: torch.dtype) -> None:
    """As softmax does. One finite score takes all; absent tokens of a block weigh nothing."""
    query, keys, values = memory_of(2, 2, 16, (40, 40, 40), dtype)
    query = query.abs()
    keys[1:, 0, :40, 3] = -torch.inf
    keys[2, 0, 35] = 1
    found = decode_attention(
        query, keys, values, torch.tensor([40, 40, 40]), 0.3, implementation=kernel
    )
    assert found[1, 0].isnan().all()
    torch.testing.assert_close(found[2, 0], values[2, 0, 35])
    assert found[0].isfinite().all()
    assert found[:, 1].isfinite().all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_many_equal_tokens_average_exactly(kernel: Any) -> None:
    tokens = 3000
    values = torch.linspace(-1, 2, tokens).view(1, 1, tokens, 1).expand(1, 1, tokens, 16)
    found = decode_attention(
        torch.ones(1, 2, 16),
        torch.ones(1, 1, tokens, 16),
        values.contiguous(),
        torch.tensor([tokens]),
        1.0,
        implementation=kernel,
    )
    torch.testing.assert_close(found, torch.full_like(found, 0.5), rtol=1e-5, atol=0)


@pytest.mark.parametrize("kernel", KERNELS)
def test_one_token_is_a_prompt_of_one(kernel: Any) -> None:
    """The kernel and the prompts' path agree on the same memory."""
    lengths = (9, 4)
    query, keys, values = memory_of(4, 2, 16, lengths, torch.float32)
    single = decode_attention(
        query, keys, values, torch.tensor(lengths), 0.3, implementation=kernel
    )
    ends = [(sequence, slice(None), length - 1) for sequence, length in enumerate(lengths)]
    key, value = (torch.stack([held[end] for end in ends]) for held in (keys, values))
    # an empty third sequence makes it no longer one token each
    memory = KeyValueMemory(
        torch.cat((keys, keys[:1])), torch.cat((values, values[:1])), (*lengths, 0)
    )
    prompt = attention(
        query, key, value, Segments([1, 1, 0]), memory, scale=0.3, implementation=kernel
    )
    torch.testing.assert_close(single, prompt, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_memories_may_be_views(kernel: Any) -> None:
    """A part of a larger memory, and tokens before heads."""
    lengths = torch.tensor([7, 3])
    query, keys, values = memory_of(4, 2, 16, (7, 3), torch.float32)
    expected = reference.decode_attention(query, keys, values, lengths, 0.3)
    wide = torch.randn(2, 40, 2, 32)
    wide[:, :10, :, 16:] = keys.transpose(1, 2)
    longer = torch.randn(2, 2, 11, 16)
    longer[:, :, :10] = values
    views = wide[:, :10, :, 16:].transpose(1, 2), longer[:, :, :10]
    assert not any(view.is_contiguous() for view in views)
    found = decode_attention(query, *views, lengths, 0.3, implementation=kernel)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
