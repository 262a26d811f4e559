"""Linear maps of a few rows."""

import inspect

import pytest
import torch
from torch.nn import functional

from jamba_reader.ops.linear import op
from jamba_reader.ops.linear.cpu import launch as cpu
from jamba_reader.ops.linear.op import linear
from spider.errors import DataError


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each call that reads the weights faster; any weight is large enough."""
    seen: list[int] = []
    faster = cpu.linear_few_rows
    monkeypatch.setattr(op, "_SMALLEST", 0)
    monkeypatch.setattr(
        cpu, "linear_few_rows", lambda x, *rest: (seen.append(len(x)), faster(x, *rest))[1]
    )
    return seen


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-6), (torch.bfloat16, 8e-3)])
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 7, 16, 17])
@pytest.mark.parametrize(("outputs", "inputs"), [(1, 37), (8, 64), (13, 100), (4, 5)])
def test_it_is_the_product(
    calls: list[int], rows: int, outputs: int, inputs: int, dtype: torch.dtype, error: float
) -> None:
    x = torch.randn(rows, inputs + 13).to(dtype)[:, :inputs]
    weight, bias = torch.randn(outputs, inputs).to(dtype), torch.randn(outputs).to(dtype)
    with torch.no_grad():
        for added in (None, bias):
            expected = functional.linear(
                x.double(), weight.double(), None if added is None else added.double()
            )
            found = linear(x, weight, added)
            assert found.dtype == dtype
            scale = x.double().abs() @ weight.double().abs().T + 3
            assert ((found.double() - expected).abs() <= error * scale).all()
    assert calls == ([] if rows > 16 else [rows] * 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_row_is_the_same_alone_and_among_others(calls: list[int], dtype: torch.dtype) -> None:
    x, weight = torch.randn(7, 100).to(dtype), torch.randn(9, 100).to(dtype)
    with torch.no_grad():
        together = linear(x, weight)
        alone = torch.cat([linear(row, weight) for row in x.split(1)])
    assert torch.equal(together, alone)
    assert len(calls) == 8


def test_what_needs_gradients_keeps_them(calls: list[int]) -> None:
    x, weight = torch.randn(2, 8), torch.nn.Parameter(torch.randn(3, 8))
    assert linear(x, weight).requires_grad
    assert not calls
    with torch.no_grad():
        linear(x, weight)
    assert calls == [2]


def test_a_bias_alone_may_need_gradients(calls: list[int]) -> None:
    bias = torch.nn.Parameter(torch.randn(3))
    assert linear(torch.randn(2, 8), torch.randn(3, 8), bias).requires_grad
    assert not calls


@pytest.mark.parametrize(("inputs", "biases"), [(5, 3), (8, 2)])
def test_shapes_that_differ_are_refused_as_torch_does(
    calls: list[int], inputs: int, biases: int
) -> None:
    operands = torch.randn(2, inputs), torch.randn(3, 8), torch.randn(biases)
    # without the check of annotations, which the tests alone have
    unchecked = inspect.unwrap(linear)
    with torch.no_grad(), pytest.raises(RuntimeError, match=r"shape|size"):
        unchecked(*operands)
    assert not calls


@pytest.mark.parametrize("kernels", ["reference", "triton"])
def test_other_kernels_leave_it_to_torch(calls: list[int], kernels: str) -> None:
    with torch.no_grad():
        linear(torch.randn(2, 8), torch.randn(3, 8), implementation=kernels)
        linear(torch.randn(2, 8).double(), torch.randn(3, 8).double())
    assert not calls


def test_types_that_differ_are_refused(calls: list[int]) -> None:
    with torch.no_grad(), pytest.raises(DataError, match="weight is float32, expected bfloat16"):
        linear(torch.randn(2, 8).bfloat16(), torch.randn(3, 8))
    assert not calls
