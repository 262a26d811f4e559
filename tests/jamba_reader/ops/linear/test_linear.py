"""Linear maps of a few rows."""

import pytest
import torch
from torch.nn import functional

from jamba_reader.ops.experts import cpu
from jamba_reader.ops.linear import op
from jamba_reader.ops.linear.op import linear


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each call that reads the weights faster; any weight is large enough."""
    seen: list[int] = []
    faster = cpu.linear
    monkeypatch.setattr(op, "_SMALLEST", 0)
    monkeypatch.setattr(cpu, "linear", lambda x, *rest: (seen.append(len(x)), faster(x, *rest))[1])
    return seen


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 7, 16, 17])
@pytest.mark.parametrize("outputs", [1, 8, 13])
def test_it_is_torchs_product(calls: list[int], rows: int, outputs: int) -> None:
    x, weight, bias = torch.randn(rows, 50)[:, :37], torch.randn(outputs, 37), torch.randn(outputs)
    with torch.no_grad():
        for added in (None, bias):
            expected = functional.linear(x, weight, added)
            torch.testing.assert_close(linear(x, weight, added), expected, rtol=1e-5, atol=1e-5)
    assert calls == ([] if rows > 16 else [rows] * 2)


def test_what_needs_gradients_keeps_them(calls: list[int]) -> None:
    x, weight = torch.randn(2, 8), torch.nn.Parameter(torch.randn(3, 8))
    assert linear(x, weight).requires_grad
    assert not calls
    with torch.no_grad():
        linear(x, weight)
    assert calls == [2]


@pytest.mark.parametrize("kernels", ["reference", "triton"])
def test_other_kernels_leave_it_to_torch(calls: list[int], kernels: str) -> None:
    with torch.no_grad():
        linear(torch.randn(2, 8), torch.randn(3, 8), implementation=kernels)
        linear(torch.randn(2, 8).bfloat16(), torch.randn(3, 8).bfloat16())
    assert not calls


def test_types_that_differ_are_refused_as_torch_does(calls: list[int]) -> None:
    with torch.no_grad(), pytest.raises(RuntimeError, match="same dtype"):
        linear(torch.randn(2, 8).bfloat16(), torch.randn(3, 8))
    assert not calls
