"""The convolution: its reference, its kernels against it, and what must not change a bit."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jamba_reader.ops.causal_conv1d import op, reference
from jamba_reader.ops.causal_conv1d.op import causal_conv1d
from jamba_reader.ops.machine import threads
from jamba_reader.ops.segments import Segments
from spider.errors import ConfigError, DataError

KERNELS = ["cpu", "triton"]
ACTIVATIONS = [None, "silu", "gelu"]
RAGGED = [2, 0, 5, 1, 3, 0]


def operands(lengths, channels, width, dtype=torch.float32, seed=0):
    """x as the left half of a wider matrix, weight, bias and history."""
    draw = torch.Generator().manual_seed(seed)
    shapes = [
        (sum(lengths), 2 * channels),
        (channels, width),
        (channels,),
        (len(lengths), width - 1, channels),
    ]
    wide, weight, bias, history = (
        torch.randn(shape, generator=draw, dtype=torch.float64).to(dtype) for shape in shapes
    )
    return [wide[:, :channels], weight, bias, history]


def gradients(implementation, tensors, lengths, activation, use=("y", "final")):
    """Outputs, and the gradients of a weighted sum of them."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    x, weight, bias, history = leaves
    y, final = causal_conv1d(
        x,
        weight,
        bias,
        Segments(lengths),
        history,
        activation=activation,
        implementation=implementation,
    )
    draw = torch.Generator().manual_seed(9)
    loss = torch.zeros((), dtype=torch.float32)
    for name, output in (("y", y), ("final", final)):
        scale = torch.randn(output.shape, generator=draw).to(output.dtype)
        if name in use:
            loss = loss + (output * scale).sum()
    grads = torch.autograd.grad(loss, leaves, allow_unused=True)
    return y.detach(), final.detach(), *grads


def assert_close(got, expected, tolerance):
    for one, other in zip(got, expected, strict=True):
        scale = other.abs().max().clamp(min=1e-6) if other.numel() else 1
        torch.testing.assert_close(one / scale, other / scale, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("width", "activation", "channels"),
    [(4, "silu", 37), (4, "gelu", 5), (4, None, 3), (3, "silu", 5), (2, "silu", 3), (6, "gelu", 3)],
)
@pytest.mark.parametrize("implementation", KERNELS)
def test_values_and_gradients_are_the_references(implementation, width, activation, channels):
    tensors = operands(RAGGED, channels, width)
    got = gradients(implementation, tensors, RAGGED, activation)
    assert_close(got, gradients("reference", tensors, RAGGED, activation), 2e-6)


@pytest.mark.parametrize("implementation", KERNELS)
def test_width_one_has_no_history(implementation):
    tensors = operands([2, 0, 3], 3, 1)
    got = gradients(implementation, tensors, [2, 0, 3], "silu", use=("y",))
    expected = gradients("reference", tensors, [2, 0, 3], "silu", use=("y",))
    assert got[1].shape == (3, 0, 3)
    assert_close(got[:5], expected[:5], 2e-6)


@pytest.mark.parametrize("implementation", KERNELS)
@pytest.mark.parametrize("activation", ["silu", "gelu"])
def test_bfloat16_is_rounded_once(implementation, activation):
    tensors = operands(RAGGED, 6, 4, torch.bfloat16)
    got = gradients(implementation, tensors, RAGGED, activation)
    wide = gradients("reference", [tensor.float() for tensor in tensors], RAGGED, activation)
    # half a unit in the last place; Triton's interpreter cuts off instead of rounding
    assert_close(got, [tensor.bfloat16() for tensor in wide], 2**-7)
    if implementation == "cpu":
        y, final = got[:2]
        torch.testing.assert_close(y.float(), wide[0], rtol=2**-8, atol=1e-6)
        assert torch.equal(final.float(), wide[1])


@pytest.mark.parametrize("implementation", KERNELS)
@pytest.mark.parametrize("use", [("y",), ("final",)])
def test_gradient_of_one_output_alone(implementation, use):
    tensors = operands([1, 4], 3, 4)
    got = gradients(implementation, tensors, [1, 4], "silu", use)
    expected = gradients("reference", tensors, [1, 4], "silu", use)
    expected = [torch.zeros_like(a) if b is None else b for a, b in zip(got, expected, strict=True)]
    assert_close(got, expected, 2e-6)


@pytest.mark.parametrize("implementation", KERNELS)
def test_no_bias_and_no_history_are_zeros(implementation):
    x, weight, bias, history = operands(RAGGED, 3, 4)
    bare = causal_conv1d(
        x, weight, None, Segments(RAGGED), activation="silu", implementation=implementation
    )
    zeros = causal_conv1d(
        x,
        weight,
        torch.zeros_like(bias),
        Segments(RAGGED),
        torch.zeros_like(history),
        activation="silu",
        implementation=implementation,
    )
    assert torch.equal(bare[0], zeros[0])
    assert torch.equal(bare[1], zeros[1])


def in_pieces(tensors, lengths, cuts, implementation):
    """Outputs and history of two sequences, each cut at its own places."""
    x, weight, bias, history = tensors
    parts = [[], []]
    bounds = [[0, *sorted(cut), length] for cut, length in zip(cuts, lengths, strict=True)]
    for k in range(max(map(len, bounds)) - 1):
        rows = []
        for sequence, bound in enumerate(bounds):
            first, last = (bound[k], bound[k + 1]) if k + 1 < len(bound) else (0, 0)
            start = sum(lengths[:sequence])
            rows.append(x[start + first : start + last])
        segments = Segments([len(row) for row in rows])
        y, history = causal_conv1d(
            torch.cat(rows),
            weight,
            bias,
            segments,
            history,
            activation="silu",
            implementation=implementation,
        )
        for sequence, part in enumerate(segments.slices):
            parts[sequence].append(y[part])
    return torch.cat(parts[0] + parts[1]), history


@pytest.mark.parametrize(("implementation", "examples"), [("cpu", 40), ("triton", 4)])
def test_cutting_sequences_changes_no_bit(implementation, examples):
    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(st.data())
    def check(data):
        lengths = data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12)))
        cuts = [
            data.draw(st.lists(st.integers(0, length), max_size=4), label="cut")
            for length in lengths
        ]
        tensors = operands(lengths, 19, 4)
        whole = causal_conv1d(
            *tensors[:3],
            Segments(lengths),
            tensors[3],
            activation="silu",
            implementation=implementation,
        )
        y, history = in_pieces(tensors, lengths, cuts, implementation)
        assert torch.equal(y, whole[0])
        assert torch.equal(history, whole[1])

    check()


@pytest.mark.parametrize("implementation", ["reference", *KERNELS])
def test_sequences_do_not_see_each_other(implementation):
    x, weight, bias, history = operands(RAGGED, 5, 4)
    options = {"activation": "gelu", "implementation": implementation}
    segments = Segments(RAGGED)
    y, final = causal_conv1d(x, weight, bias, segments, history, **options)
    for k, rows in enumerate(segments.slices):
        alone = causal_conv1d(x[rows], weight, bias, Segments([RAGGED[k]]), history[[k]], **options)
        assert torch.equal(alone[0], y[rows])
        assert torch.equal(alone[1][0], final[k])


@pytest.mark.parametrize("implementation", ["reference", *KERNELS])
@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_no_tokens(implementation, lengths):
    x, weight, bias, history = operands(lengths, 3, 4)
    y, final = causal_conv1d(
        x,
        weight,
        bias,
        Segments(lengths),
        history,
        activation="silu",
        implementation=implementation,
    )
    assert y.shape == (0, 3)
    assert torch.equal(final, history)


def test_threads_and_tiles_change_no_bit(monkeypatch):
    lengths = [40, 3, 21]
    tensors = operands(lengths, 600, 4)
    alone = gradients("cpu", tensors, lengths, "silu")
    assert_close(alone, gradients("reference", tensors, lengths, "silu"), 2e-6)
    monkeypatch.setattr(threads, "MANY", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    for one, other in zip(alone, gradients("cpu", tensors, lengths, "silu"), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float32_error_against_float64(activation):
    lengths = [200]
    exact = operands(lengths, 33, 4, torch.float64)
    exact = [tensor.float().double() for tensor in exact]
    expected, _ = reference.causal_conv1d(*exact[:3], Segments(lengths), exact[3], activation)
    x, weight, bias, history = [tensor.float() for tensor in exact]
    y, _ = causal_conv1d(x, weight, bias, Segments(lengths), history, activation=activation)
    # relative to the sum of magnitudes, from which no float32 sum can do better
    size, _ = reference.causal_conv1d(
        *[tensor.abs() for tensor in exact[:3]], Segments(lengths), exact[3].abs(), None
    )
    assert ((y - expected).abs() / size).max() <= 2e-6


@pytest.mark.parametrize("implementation", ["reference", *KERNELS])
@pytest.mark.parametrize("activation", ["silu", "gelu"])
def test_huge_inputs_give_numbers(implementation, activation):
    x = torch.tensor([[1e30, -1e30], [-1e30, 1e30], [0.0, 1e30]], requires_grad=True)
    weight = torch.tensor([[0.5, 1.0], [1.0, -0.5]])
    y, _ = causal_conv1d(
        x, weight, None, Segments([3]), activation=activation, implementation=implementation
    )
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert y.isfinite().all()
    assert gradient.isfinite().all()


def test_weights_may_be_wider_than_activations():
    x, weight, bias, history = operands([5], 4, 4, torch.bfloat16)
    segments = Segments([5])
    got = causal_conv1d(x, weight.float(), bias, segments, history.float(), activation="silu")
    expected = causal_conv1d(x, weight, bias, segments, history, activation="silu")
    assert torch.equal(got[0], expected[0])
    assert got[0].dtype == got[1].dtype == torch.bfloat16


def test_any_layout_of_operands():
    x, weight, bias, history = operands([3, 2], 4, 4)
    segments = Segments([3, 2])
    expected = causal_conv1d(x, weight, bias, segments, history, activation="silu")
    got = causal_conv1d(
        x.t().contiguous().t(),
        weight.t().contiguous().t(),
        torch.stack([bias, bias], 1)[:, 0],
        segments,
        history.transpose(0, 2).contiguous().transpose(0, 2),
        activation="silu",
    )
    assert torch.equal(got[0], expected[0])
    assert torch.equal(got[1], expected[1])


def test_half_precision_on_a_cpu_takes_the_reference():
    x, weight, bias, history = operands([3], 4, 4, torch.float16)
    y, final = causal_conv1d(x, weight, bias, Segments([3]), history, activation="silu")
    assert y.dtype == final.dtype == torch.float16
    with pytest.raises(ConfigError, match="causal_conv1d has reference, triton"):
        causal_conv1d(
            x, weight, bias, Segments([3]), history, activation="silu", implementation="cpu"
        )


def test_operands_that_disagree_are_named():
    x, weight, bias, history = operands([3], 4, 4)
    with pytest.raises(DataError, match=r"x of shape \(3, 4\), expected \(2, 4\)"):
        causal_conv1d(x, weight, bias, Segments([2]), activation="silu")
    with pytest.raises(DataError, match=r"history of shape \(1, 3, 4\), expected \(2, 3, 4\)"):
        causal_conv1d(x, weight, bias, Segments([2, 1]), history, activation="silu")
    with pytest.raises(DataError, match=r"bias of shape \(3,\), expected \(4,\)"):
        # past the annotations, which see it first wherever they are checked
        op._check(x, weight, bias[:3], Segments([3]), None)
    with pytest.raises(ConfigError, match="mamba_ssm: causal_conv1d has reference, cpu, triton"):
        causal_conv1d(x, weight, bias, Segments([3]), activation="silu", implementation="mamba_ssm")
