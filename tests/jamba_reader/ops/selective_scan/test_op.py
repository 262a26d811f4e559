"""The selective scan: what its ``op`` refuses and which implementation it takes."""

import pytest
import torch

from jamba_reader.ops.segments import Segments
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
    with pytest.raises(DataError, match="A and the initial state are not on cpu"):
        selective_scan(*inputs._replace(A=inputs.A.to("meta"))[:8], Segments((4,)))
    with pytest.raises(DataError, match=r"an operand is torch\.float32 on meta"):
        selective_scan(*inputs._replace(D=inputs.D.to("meta"))[:8], Segments((4,)))
    with pytest.raises(DataError, match=r"an operand is torch\.float16 on cpu"):
        selective_scan(*inputs._replace(D=inputs.D.half())[:8], Segments((4,)))


def test_snapshots_need_a_positive_distance(make_inputs):
    inputs = make_inputs((4,), 3, 2)
    with pytest.raises(DataError, match="snapshot_every is 0, expected 1 or more"):
        selective_scan(*inputs[:8], Segments((4,)), snapshot_every=0)


def test_triton_on_a_cpu_is_refused_unless_interpreted(make_inputs, monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    inputs = make_inputs((4,), 3, 2)
    with pytest.raises(ConfigError, match="kernels=triton: selective_scan needs a GPU"):
        selective_scan(*inputs[:8], Segments((4,)), implementation="triton")
