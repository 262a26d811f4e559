"""When the AVX-512 kernel runs, and what it returns where it does."""

import pytest
import torch
from torch import Tensor

from jamba_reader.ops.attention.cpu.prefill import launch
from jamba_reader.ops.attention.reference import attention, attention_with_memory
from jamba_reader.ops.segments import Segments
from spider.kernels.processor import has_feature


@pytest.fixture(autouse=True)
def _everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of ``does`` ask for a processor that has the instructions."""
    monkeypatch.setattr(launch, "_HERE", {torch.float32: True, torch.bfloat16: True})


def operands(
    tokens: int = 9, head_dim: int = 16, dtype: torch.dtype = torch.float32
) -> list[Tensor]:
    draw = torch.Generator().manual_seed(tokens)
    return [torch.randn(tokens, heads, head_dim, generator=draw).to(dtype) for heads in (4, 2, 2)]


def test_it_does_rows_of_whole_lanes() -> None:
    assert launch.does(*operands(), None, 0.3)
    assert launch.does(*operands(dtype=torch.bfloat16), None, 0.3)
    assert not launch.does(*operands(head_dim=24), None, 0.3)
    assert not launch.does(*operands(dtype=torch.float64), None, 0.3)
    # the running maximum of scores needs a positive scale
    assert not launch.does(*operands(), None, 0.0)
    assert not launch.does(*operands(), None, -0.3)


def test_it_does_one_dtype_and_contiguous_rows() -> None:
    query, key, value = operands()
    assert not launch.does(query, key.bfloat16(), value, None, 0.3)
    columns = value.transpose(1, 2).contiguous().transpose(1, 2)
    assert not launch.does(query, key, columns, None, 0.3)
    memory = torch.zeros(1, 2, 12, 16), torch.zeros(1, 2, 12, 16), [9]
    assert launch.does(query, key, value, memory, 0.3)
    assert not launch.does(query, key, value, (memory[0], memory[1].half(), [9]), 0.3)


def test_it_has_no_gradients() -> None:
    query, key, value = operands()
    value.requires_grad_()
    assert not launch.does(query, key, value, None, 0.3)
    with torch.no_grad():
        assert launch.does(query, key, value, None, 0.3)


@pytest.mark.skipif(not has_feature("avx512f"), reason="no AVX-512")
def test_it_is_the_reference() -> None:
    segments = Segments([70, 0, 1, 64])
    query, key, value = operands(segments.total, 48)
    found = launch.attend(query, key, value, segments, None, scale=0.3)
    expected = attention(query, key, value, segments, scale=0.3)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.skipif(not has_feature("avx512f"), reason="no AVX-512")
def test_with_a_memory_it_is_the_reference() -> None:
    segments, lengths = Segments([3, 2]), [70, 2]
    query, key, value = operands(5)
    held = torch.randn(2, 2, 2, 80, 16, generator=torch.Generator().manual_seed(1))
    found = launch.attend(query, key, value, segments, (held[0], held[1], lengths), scale=0.3)
    expected = attention_with_memory(query, held[0], held[1], segments, lengths, scale=0.3)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_no_tokens_make_no_units() -> None:
    empty = [torch.empty(0, heads, 16) for heads in (4, 2, 2)]
    assert launch.attend(*empty, Segments([0]), None, scale=0.3).shape == (0, 4, 16)
