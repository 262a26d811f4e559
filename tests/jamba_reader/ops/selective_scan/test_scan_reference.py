import math

import pytest
import torch

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.op import selective_scan
from jamba_reader.ops.selective_scan.operands import ScanInputs, check_inputs
from jamba_reader.ops.selective_scan.reference import selective_scan_reference
from spider.errors import ConfigError, DataError


def test_reference_is_the_recurrence_written_with_scalars(make_inputs):
    inputs = make_inputs((3, 0, 2), 2, 3, dtype=torch.float64)
    segments = Segments((3, 0, 2))
    got = selective_scan_reference(inputs, segments)
    x, dt, A, B, C, D, bias, gate, initial = (t.tolist() for t in inputs)
    for sequence, rows in enumerate(segments.slices):
        for channel in range(2):
            h = list(initial[sequence][channel])
            for t in range(rows.start, rows.stop):
                delta = math.log1p(math.exp(dt[t][channel] + bias[channel]))
                h = [
                    math.exp(delta * A[channel][n]) * h[n] + delta * B[t][n] * x[t][channel]
                    for n in range(3)
                ]
                y = sum(h[n] * C[t][n] for n in range(3)) + D[channel] * x[t][channel]
                y *= gate[t][channel] / (1 + math.exp(-gate[t][channel]))
                assert got.y[t, channel].item() == pytest.approx(y, rel=1e-12)
            assert got.final_state[sequence, channel].tolist() == pytest.approx(h, rel=1e-12)


@pytest.mark.parametrize("gated", [True, False])
def test_gradcheck_of_the_reference(make_inputs, gated):
    inputs = make_inputs((2, 0, 3), 2, 2, dtype=torch.float64, gated=gated)
    leaves = [t.detach().clone().requires_grad_() for t in inputs if t is not None]

    def run(*tensors):
        values = list(tensors)
        if not gated:
            values.insert(7, None)
        output = selective_scan_reference(ScanInputs(*values), Segments((2, 0, 3)))
        return output.y, output.final_state

    assert torch.autograd.gradcheck(run, leaves)


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


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("x", r"x has shape \(4, 2\), expected \(4, 3\)"),
        ("B", r"B has shape \(4, 1\), expected \(4, 2\)"),
        ("dt_bias", r"dt_bias has shape \(2,\), expected \(3,\)"),
        ("initial_state", r"initial_state has shape \(2, 3, 2\), expected \(1, 3, 2\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(make_inputs, field, message):
    inputs = make_inputs((4,), 3, 2)
    tensor = getattr(inputs, field)
    wrong = torch.cat((tensor, tensor)) if field == "initial_state" else tensor[..., :-1]
    inputs = inputs._replace(**{field: wrong})
    with pytest.raises(DataError, match=message):
        check_inputs(inputs, 4, 1)


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
