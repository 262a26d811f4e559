"""The selective scan: what its ``op`` refuses and which implementation it takes."""

import pytest
import torch

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.cpu import launch as cpu
from jamba_reader.ops.selective_scan.op import selective_scan
from spider.errors import ConfigError, DataError


def test_float64_takes_the_reference(make_inputs):
    inputs = make_inputs((4,), 3, 2, dtype=torch.float64)
    output = selective_scan(*inputs[:8], Segments((4,)), inputs.initial_state)
    assert output.y.dtype == output.final_state.dtype == torch.float64


def test_float16_on_a_cpu_takes_the_reference(make_inputs, in_float64):
    inputs = make_inputs((4,), 3, 2)
    half = [None if t is None else t.half() for t in inputs[:8]]
    half[2] = inputs.A
    output = selective_scan(*half, Segments((4,)), inputs.initial_state)
    assert output.y.dtype == torch.float16
    with pytest.raises(ConfigError, match="kernels=cpu: selective_scan has reference, triton"):
        selective_scan(*half, Segments((4,)), inputs.initial_state, implementation="cpu")


def test_operands_elsewhere_are_refused(make_inputs):
    inputs = make_inputs((4,), 3, 2)
    with pytest.raises(DataError, match="A is on meta, expected cpu"):
        selective_scan(*inputs._replace(A=inputs.A.to("meta"))[:8], Segments((4,)))
    with pytest.raises(DataError, match="D is on meta, expected cpu"):
        selective_scan(*inputs._replace(D=inputs.D.to("meta"))[:8], Segments((4,)))
    with pytest.raises(DataError, match=r"an operand is torch\.float16 on cpu"):
        selective_scan(*inputs._replace(D=inputs.D.half())[:8], Segments((4,)))


def test_triton_on_a_cpu_is_refused_unless_interpreted(make_inputs, monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    inputs = make_inputs((4,), 3, 2)
    with pytest.raises(ConfigError, match="kernels=triton: selective_scan needs a GPU"):
        selective_scan(*inputs[:8], Segments((4,)), implementation="triton")


def test_the_device_chooses_and_a_request_overrides(make_inputs, monkeypatch):
    inputs = make_inputs((4,), 3, 2)
    expected = selective_scan(*inputs[:8], Segments((4,)), implementation="reference").y

    def refuse(*_args, **_options):
        raise AssertionError("the CPU kernel ran")

    monkeypatch.setattr(cpu, "scan", refuse)
    with pytest.raises(AssertionError, match="the CPU kernel ran"):
        selective_scan(*inputs[:8], Segments((4,)))
    found = selective_scan(*inputs[:8], Segments((4,)), implementation="triton").y
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("implementation", ["reference", "cpu", "triton"])
def test_operands_in_other_layouts_give_the_same(make_inputs, implementation):
    inputs = make_inputs((5, 0, 2), 4, 3)
    segments = Segments((5, 0, 2))
    turned = [t.transpose(0, -1).contiguous().transpose(0, -1) for t in inputs]
    assert not any(t.is_contiguous() for t in turned if t.dim() > 1)
    plain, other = (
        selective_scan(*given[:8], segments, given[8], implementation=implementation)
        for given in (inputs, turned)
    )
    torch.testing.assert_close(other.y, plain.y)
    torch.testing.assert_close(other.final_state, plain.final_state)


@pytest.mark.parametrize("implementation", ["reference", "cpu", "triton"])
def test_it_is_linear_in_its_inputs_and_its_state(make_inputs, implementation):
    inputs = make_inputs((6, 3), 4, 3)
    segments = Segments((6, 3))
    scaled = inputs._replace(x=-2 * inputs.x, initial_state=-2 * inputs.initial_state)
    once, twice = (
        selective_scan(*given[:8], segments, given[8], implementation=implementation)
        for given in (inputs, scaled)
    )
    torch.testing.assert_close(twice.y, -2 * once.y)
    torch.testing.assert_close(twice.final_state, -2 * once.final_state)


def test_only_operands_that_need_gradients_are_recorded(make_inputs):
    inputs = make_inputs((4,), 3, 2)
    assert not selective_scan(*inputs[:8], Segments((4,))).y.requires_grad
    learning = inputs._replace(D=inputs.D.clone().requires_grad_())
    output = selective_scan(*learning[:8], Segments((4,)))
    assert output.y.requires_grad
    with torch.no_grad():
        assert not selective_scan(*learning[:8], Segments((4,))).y.requires_grad
    (gradient,) = torch.autograd.grad(output.y.sum(), learning.D)
    gate = inputs.gate * inputs.gate.sigmoid()
    torch.testing.assert_close(gradient, (inputs.x * gate).sum(0))
