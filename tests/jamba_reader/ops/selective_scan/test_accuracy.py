"""V4 of the reference notes: inputs chosen to break a scan, against float64."""

import numpy as np
import pytest
import torch

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.op import selective_scan

TOKENS = 65_536
STATES = 4


def exact_scan(x, delta, A, B, C):
    """Outputs in float64; states of all channels step by step."""
    rates = A.double().numpy()
    state = np.zeros_like(rates)
    outputs = np.empty(x.shape)
    arrays = (tensor.double().numpy() for tensor in (x, delta, B, C))
    for token, (inputs, step, b, c) in enumerate(zip(*arrays, strict=True)):
        state *= np.exp(step[:, None] * rates)
        state += (step * inputs)[:, None] * b
        outputs[token] = state @ c
    return torch.from_numpy(outputs)


def kernel_scan(x, dt, A, B, C):
    channels = x.shape[1]
    zeros = torch.zeros(channels)
    return selective_scan(
        x, dt, A, B, C, zeros, zeros, None, Segments((len(x),)), implementation="cpu"
    ).y


def cumulative_product_scan(x, dt, A, B, C):
    """U1: ``h_t = P_t * cumsum(b_s / P_s)``, which divides by what has underflowed."""
    delta = torch.nn.functional.softplus(dt)
    exponents = torch.cumsum(delta[:, :, None] * A, dim=0)
    written = (delta * x)[:, :, None] * B[:, None]
    states = torch.exp(exponents) * torch.cumsum(written / torch.exp(exponents), dim=0)
    return (states * C[:, None]).sum(-1)


def assert_exact(scan, x, dt, A, B, C):
    """Every channel within 1e-5 of its largest output."""
    delta = torch.nn.functional.softplus(dt.double())
    expected = exact_scan(x, delta, A, B, C)
    got = scan(x, dt, A, B, C)
    assert torch.isfinite(got).all()
    errors = (got - expected).abs().amax(0) / expected.abs().amax(0).clamp(min=1e-30)
    assert errors.max().item() <= 1e-5


def steps_before_softplus(delta):
    return (delta + torch.log(-torch.expm1(-delta.double()))).float()


def rates(channels, seed):
    """Between -0.01 and -64, both included."""
    spread = torch.rand(channels, STATES, generator=torch.Generator().manual_seed(seed))
    A = -torch.exp(np.log(0.01) + spread * np.log(6400))
    A[0] = -0.01
    A[1] = -64
    return A


def constant_inputs(tokens):
    """Equal steps from 1e-4 to 10 and equal inputs: rounding errors all point the same way."""
    delta = torch.tensor([1e-4, 1e-4, 1e-4, 1e-3, 1e-3, 1e-2, 0.1, 10.0]).expand(tokens, 8)
    ones = torch.ones(tokens, STATES)
    x = torch.full((tokens, 8), 0.7)
    return x, steps_before_softplus(delta), rates(8, 0), 0.3 * ones, 0.9 * ones


def random_inputs(tokens):
    source = torch.Generator().manual_seed(3)
    delta = torch.exp(np.log(1e-4) + torch.rand(tokens, 8, generator=source) * np.log(1e5))
    x = torch.randn(tokens, 8, generator=source)
    B, C = torch.randn(2, tokens, STATES, generator=source)
    return x, steps_before_softplus(delta), rates(8, 1), B, C


def extreme_steps(tokens):
    """Steps of zero keep the state for ever; steps of thousands forget it at once."""
    x, dt, A, B, C = random_inputs(tokens)
    dt = dt.clone()
    dt[tokens // 4 :, 0] = -1e4
    dt[:, 1] = -1e4
    dt[:, 2] = 1e4
    dt[::7, 3] = 1e5
    dt[1::2, 4] = -1e4
    dt[::2, 4] = 1e3
    return x, dt, A, B, C


def test_constant_inputs_over_64k_tokens():
    """A plain float32 recurrence is off by 1e-4 and more here."""
    assert_exact(kernel_scan, *constant_inputs(TOKENS))


@pytest.mark.parametrize("inputs", [random_inputs, extreme_steps])
def test_random_and_extreme_steps(inputs):
    assert_exact(kernel_scan, *inputs(8192))


def test_cumulative_products_fail_the_same_test():
    for inputs in (constant_inputs, random_inputs, extreme_steps):
        with pytest.raises(AssertionError):
            assert_exact(cumulative_product_scan, *inputs(2048))


def test_cumulative_products_are_right_where_nothing_underflows():
    """So it is the numbers that break them, not a mistake in the formula."""
    x, dt, A, B, C = random_inputs(64)
    assert_exact(cumulative_product_scan, x, dt - 8, A / 16, B, C)


def test_a_gate_and_a_step_of_any_size_stay_finite():
    values = torch.tensor([-1e30, -1e4, -88.0, -1.0, 0.0, 1.0, 88.0, 1e4, 1e30])
    x = torch.ones(9, 9)
    gate, dt = values[:, None].expand(9, 9), values[None].expand(9, 9)
    ones = torch.ones(9, STATES)
    A = torch.full((9, STATES), -1.0)
    dt = dt.clamp(max=1e4)
    for implementation in ("cpu", "reference"):
        y = selective_scan(
            x,
            dt,
            A,
            ones,
            ones,
            torch.ones(9),
            torch.zeros(9),
            gate.clamp(max=1e4),
            Segments((9,)),
            implementation=implementation,
        ).y
        assert torch.isfinite(y).all()
