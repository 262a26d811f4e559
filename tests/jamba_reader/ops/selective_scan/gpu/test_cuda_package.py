import sys
from types import ModuleType

import pytest
import torch

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.gpu import cuda_package as mamba_ssm_kernel
from jamba_reader.ops.selective_scan.op import selective_scan
from jamba_reader.ops.selective_scan.operands import ScanInputs
from jamba_reader.ops.selective_scan.reference import selective_scan_reference
from spider.errors import ConfigError


def stand_in(u, delta, A, B, C, D, *, z, delta_bias, delta_softplus, return_last_state):
    """mamba-ssm's function with its documented shapes, sequence by sequence."""
    assert delta_softplus
    assert return_last_state
    assert A.dtype == D.dtype == delta_bias.dtype == torch.float32
    outputs, states = [], []
    for number in range(len(u)):
        rows = [t[number].T if t is not None else None for t in (u, delta, B, C, z)]
        x, dt, b, c, gate = rows
        inputs = ScanInputs(x, dt, A, b, c, D, delta_bias, gate, None)
        y, state = selective_scan_reference(inputs, Segments((len(x),)))
        outputs.append(y.T)
        states.append(state[0])
    return torch.stack(outputs), torch.stack(states)


@pytest.mark.parametrize("gated", [True, False])
def test_layouts_of_mamba_ssm(make_inputs, monkeypatch, gated):
    """With a stand-in for the package: its own kernel needs a GPU."""
    module = ModuleType("selective_scan_interface")
    module.selective_scan_fn = stand_in
    for name in ("mamba_ssm", "mamba_ssm.ops"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "mamba_ssm.ops.selective_scan_interface", module)
    inputs = make_inputs((6, 6, 6), 5, 3, gated=gated, initial=False)
    segments = Segments((6, 6, 6))
    got = mamba_ssm_kernel.scan(inputs, segments)
    expected = selective_scan_reference(inputs, segments)
    torch.testing.assert_close(got.y, expected.y)
    torch.testing.assert_close(got.final_state, expected.final_state)


class OnCuda(torch.Tensor):
    """Says that it is on a GPU."""

    is_cuda = True


def test_only_calls_that_it_can_do(make_inputs, monkeypatch):
    monkeypatch.setattr(mamba_ssm_kernel, "is_installed", lambda: True)
    inputs = make_inputs((4, 4), 5, 3, initial=False)
    inputs = inputs._replace(x=inputs.x.as_subclass(OnCuda))
    even, can_scan = Segments((4, 4)), mamba_ssm_kernel.can_scan
    assert can_scan(inputs, even)
    assert not can_scan(inputs, Segments((3, 5)))
    assert not can_scan(inputs._replace(initial_state=torch.zeros(2, 5, 3)), even)
    assert not can_scan(inputs._replace(dt=inputs.dt.bfloat16()), even)
    learning = inputs._replace(D=torch.zeros(5, requires_grad=True))
    assert not can_scan(learning, even)
    with torch.no_grad():
        assert can_scan(learning, even)
    monkeypatch.setattr(mamba_ssm_kernel, "is_installed", lambda: False)
    assert not can_scan(inputs, even)


def test_its_absence_is_said_where_it_is_asked_for(make_inputs):
    inputs = make_inputs((4,), 5, 3, initial=False)
    with pytest.raises(ConfigError, match="kernels=mamba_ssm: selective_scan has reference"):
        selective_scan(*inputs[:8], Segments((4,)), implementation="mamba_ssm")
