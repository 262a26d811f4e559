"""Triton's kernels, interpreted: tiny shapes, every path."""

import pytest
import torch

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.gpu import chunks
from jamba_reader.ops.selective_scan.op import selective_scan
from jamba_reader.ops.selective_scan.operands import ScanInputs
from jamba_reader.ops.selective_scan.reference import selective_scan_reference

pytest.importorskip("triton")


@pytest.fixture
def in_chunks(monkeypatch):
    """Chunks of 16 tokens, as if these were very long."""
    monkeypatch.setattr(chunks, "SHORTEST", 16)


def scan(inputs, lengths, **options):
    return selective_scan(
        *inputs[:8], Segments(lengths), inputs.initial_state, implementation="triton", **options
    )


def relative(got, expected):
    return ((got - expected).abs().max() / expected.abs().max().clamp(min=1e-30)).item()


@pytest.mark.parametrize(
    ("lengths", "gated", "initial"),
    [((9, 0, 4), True, True), ((17,), False, False), ((1, 1, 1), True, True), ((1,), False, False)],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_whole_sequences(make_inputs, in_float64, lengths, gated, initial, dtype):
    inputs = make_inputs(lengths, 21, 3, dtype=dtype, gated=gated, initial=initial)
    got = scan(inputs, lengths)
    expected = selective_scan_reference(in_float64(inputs), Segments(lengths))
    assert got.y.dtype == dtype
    assert relative(got.y, expected.y) < (5e-3 if dtype == torch.bfloat16 else 2e-6)
    assert relative(got.final_state, expected.final_state) < 2e-6


@pytest.mark.parametrize("initial", [True, False])
def test_chunks_side_by_side(make_inputs, in_float64, in_chunks, initial):
    lengths = (39, 0, 16)
    inputs = make_inputs(lengths, 5, 3, initial=initial)
    segments = Segments(lengths)
    assert not chunks.plan(segments, 1, inputs.x.device).whole
    got = scan(inputs, lengths)
    expected = selective_scan_reference(in_float64(inputs), segments)
    assert relative(got.y, expected.y) < 2e-6
    assert relative(got.final_state, expected.final_state) < 2e-6


def test_chunks_of_any_size_agree(make_inputs, monkeypatch):
    inputs = make_inputs((48,), 5, 3)
    found = []
    for shortest in (16, 32):
        monkeypatch.setattr(chunks, "SHORTEST", shortest)
        found.append(scan(inputs, (48,)))
    for other in found[1:]:
        assert relative(other.y, found[0].y) < 1e-6
        assert relative(other.final_state, found[0].final_state) < 1e-6


def gradients(inputs, lengths, implementation, dy, dfinal):
    inputs = ScanInputs(*(None if t is None else t.detach().requires_grad_() for t in inputs))
    output = selective_scan(
        *inputs[:8], Segments(lengths), inputs.initial_state, implementation=implementation
    )
    loss = (output.y * dy).sum()
    if dfinal is not None:
        loss = loss + (output.final_state * dfinal).sum()
    return torch.autograd.grad(loss, [tensor for tensor in inputs if tensor is not None])


@pytest.mark.parametrize(
    ("lengths", "cut", "gated", "initial", "reached"),
    [
        ((19, 0, 5), False, True, True, True),
        ((18,), False, False, False, False),
        ((37, 0, 16), True, True, True, True),
        ((35,), True, False, True, False),
    ],
)
def test_gradients(make_inputs, in_float64, monkeypatch, lengths, cut, gated, initial, reached):
    """``reached``: whether a gradient comes through the final states."""
    monkeypatch.setattr(chunks, "SHORTEST", 16 if cut else 64)
    inputs = make_inputs(lengths, 5, 2, gated=gated, initial=initial)
    assert chunks.plan(Segments(lengths), 1, inputs.x.device).whole != cut
    source = torch.Generator().manual_seed(1)
    dy = torch.randn(sum(lengths), 5, generator=source)
    dfinal = torch.randn(len(lengths), 5, 2, generator=source) if reached else None
    got = gradients(inputs, lengths, "triton", dy, dfinal)
    expected = gradients(in_float64(inputs), lengths, "reference", dy, dfinal)
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.shape == theirs.shape
        assert relative(mine, theirs) < 3e-6


def test_gradients_over_blocks_of_channels(make_inputs, in_float64):
    """B's and C's are summed over blocks of 128 channels, the last of them not full."""
    inputs = make_inputs((3,), 130, 1, dtype=torch.bfloat16)
    dy = torch.randn(3, 130, generator=torch.Generator().manual_seed(1)).bfloat16()
    got = gradients(inputs, (3,), "triton", dy, None)
    expected = gradients(in_float64(inputs), (3,), "reference", dy.double(), None)
    for mine, theirs in zip(got, expected, strict=True):
        assert relative(mine, theirs) < 5e-3


def test_what_is_forgotten_entirely_sends_no_gradient_back(make_inputs, in_float64):
    inputs = make_inputs((20,), 5, 2)
    dt = inputs.dt.clone()
    dt[::3] = 30.0
    inputs = inputs._replace(dt=dt, A=inputs.A * 16)
    dy = torch.randn(20, 5, generator=torch.Generator().manual_seed(1))
    for implementation in ("triton", "cpu"):
        got = gradients(inputs, (20,), implementation, dy, None)
        expected = gradients(in_float64(inputs), (20,), "reference", dy, None)
        for mine, theirs in zip(got, expected, strict=True):
            assert relative(mine, theirs) < 1e-5


def test_an_empty_batch_launches_nothing(make_inputs):
    output = scan(make_inputs((), 5, 3), ())
    assert output.y.shape == (0, 5)
    assert output.final_state.shape == (0, 5, 3)
