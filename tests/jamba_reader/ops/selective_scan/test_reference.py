import math

import pytest
import torch

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.operands import ScanInputs
from jamba_reader.ops.selective_scan.reference import selective_scan_reference


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
