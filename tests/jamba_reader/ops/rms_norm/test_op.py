"""Root-mean-square normalisation: its reference, and its kernels against it."""

import pytest
import torch
from torch import nn

from jamba_reader.ops.machine import threads
from jamba_reader.ops.rms_norm import reference
from jamba_reader.ops.rms_norm.op import add_rms_norm, rms_norm
from spider.errors import ConfigError, DataError

KERNELS = ["cpu", "triton"]
EPS = 1e-6


def operands(tokens, width, dtype=torch.float32, seed=0):
    """x as the middle of a wider matrix, residual, weight."""
    draw = torch.Generator().manual_seed(seed)
    shapes = [(tokens, width + 7), (tokens, width), (width,)]
    wide, residual, weight = (torch.randn(shape, generator=draw).to(dtype) for shape in shapes)
    return wide[:, 3 : 3 + width], residual, weight


def gradients(implementation, tensors, adds, use=("y", "total")):
    leaves = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    # a slice of the leaf, so that rows stay strided
    x = torch.cat([leaves[0], leaves[0]], 1)[:, : leaves[0].shape[1]]
    draw = torch.Generator().manual_seed(5)
    if adds:
        outputs = add_rms_norm(x, *leaves[1:], EPS, implementation=implementation)
    else:
        outputs = (rms_norm(x, leaves[2], EPS, implementation=implementation),)
    loss = torch.zeros(())
    for name, output in zip(("y", "total"), outputs, strict=False):
        if name in use:
            loss = loss + (output * torch.randn(output.shape, generator=draw).to(x.dtype)).sum()
    grads = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
    return [*(output.detach() for output in outputs), *grads]


def assert_close(got, expected, tolerance):
    for one, other in zip(got, expected, strict=True):
        scale = other.abs().max().clamp(min=1e-6) if other.numel() else 1
        torch.testing.assert_close(one / scale, other / scale, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("implementation", ["reference", "cpu"])
def test_is_transformers_normalisation(implementation, dtype):
    from transformers.models.jamba.modeling_jamba import JambaRMSNorm

    x, _, weight = operands(64, 96, dtype)
    theirs = JambaRMSNorm(96, eps=EPS)
    theirs.weight = nn.Parameter(weight)
    with torch.no_grad():
        expected = theirs(x)
        y = rms_norm(x, weight, EPS, implementation=implementation)
    if implementation == "reference":
        assert torch.equal(y, expected)
    elif dtype == torch.bfloat16:
        # the order of a sum can tip one rounding in ten thousand
        assert (y != expected).float().mean() < 1e-3
        torch.testing.assert_close(y, expected, rtol=2**-7, atol=0)
    else:
        torch.testing.assert_close(y, expected, rtol=5e-7, atol=0)


@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("width", [2, 8, 37, 300])
@pytest.mark.parametrize("implementation", KERNELS)
def test_values_and_gradients_are_the_references(implementation, width, adds):
    tensors = operands(9, width)
    got = gradients(implementation, tensors, adds)
    assert_close(got, gradients("reference", tensors, adds), 2e-6)


@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("implementation", KERNELS)
def test_bfloat16(implementation, adds):
    tensors = operands(9, 40, torch.bfloat16)
    got = gradients(implementation, tensors, adds)
    expected = gradients("reference", tensors, adds)
    # Triton's interpreter cuts off instead of rounding, each time
    assert_close(got, expected, 2**-7 if implementation == "cpu" else 3 * 2**-7)
    if implementation == "cpu":
        assert_close(got[: 1 + adds], expected[: 1 + adds], 2**-9)
        assert not adds or torch.equal(got[1], expected[1])


@pytest.mark.parametrize("implementation", KERNELS)
@pytest.mark.parametrize("use", [("y",), ("total",)])
def test_gradient_of_one_output_alone(implementation, use):
    tensors = operands(4, 12)
    got = gradients(implementation, tensors, True, use)
    assert_close(got, gradients("reference", tensors, True, use), 2e-6)


@pytest.mark.parametrize("width", [8, 16384])
def test_float32_error_against_float64(width):
    x, _, weight = operands(3, width)
    expected = reference.rms_norm(x.double(), weight.double(), EPS)
    y = rms_norm(x, weight, EPS).double()
    assert ((y - expected).abs() / expected.abs()).max() <= 2e-6


@pytest.mark.parametrize("implementation", ["reference", *KERNELS])
def test_no_rows_zero_rows_and_large_rows(implementation):
    weight = torch.linspace(-1, 1, 6)
    empty = rms_norm(torch.zeros(0, 6), weight, EPS, implementation=implementation)
    assert empty.shape == (0, 6)
    x = torch.stack([torch.zeros(6), torch.full((6,), 1e15), torch.full((6,), -1e15)])
    y = rms_norm(x, weight, EPS, implementation=implementation)
    torch.testing.assert_close(y, torch.stack([0 * weight, weight, -weight]))
    leaf = torch.zeros(0, 6, requires_grad=True)
    total = rms_norm(leaf, weight.requires_grad_(), EPS, implementation=implementation).sum()
    assert not torch.autograd.grad(total, weight)[0].any()


def test_beyond_the_range_of_squares_is_as_the_reference_has_it():
    x, weight = torch.full((1, 6), -1e30, requires_grad=True), torch.ones(6)
    y = rms_norm(x, weight, EPS)
    # the square is infinite and its inverse root 0, in transformers too; not NaN
    assert torch.equal(y, reference.rms_norm(x, weight, EPS))
    assert not y.any()
    assert not torch.autograd.grad(y.sum(), x)[0].any()


def test_threads_change_no_bit(monkeypatch):
    tensors = operands(10, 40)
    alone = gradients("cpu", tensors, True)
    monkeypatch.setattr(threads, "MANY", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    together = gradients("cpu", tensors, True)
    # the weight's gradient is a sum over rows, in as many parts
    for one, other in zip(alone[:-1], together[:-1], strict=True):
        assert torch.equal(one, other)
    torch.testing.assert_close(alone[-1], together[-1])


def test_a_triton_program_takes_several_blocks_of_rows(monkeypatch):
    from jamba_reader.ops.rms_norm.gpu import launch as gpu

    tensors = operands(11, 5)
    expected = gradients("reference", tensors, True)
    monkeypatch.setattr(gpu, "PROGRAMS", 2)
    monkeypatch.setattr(gpu, "ELEMENTS", 16)
    assert_close(gradients("triton", tensors, True), expected, 2e-6)


def test_columns_need_not_be_adjacent():
    x, residual, weight = operands(4, 6)
    expected = add_rms_norm(x, residual, weight, EPS)
    got = add_rms_norm(
        x.t().contiguous().t(), residual.t().contiguous().t(), weight.repeat(2)[::2], EPS
    )
    expected = add_rms_norm(x, residual, weight.repeat(2)[::2].contiguous(), EPS)
    assert torch.equal(got[0], expected[0])
    assert torch.equal(got[1], expected[1])


def test_mixed_and_half_precision_take_the_reference():
    x, residual, weight = operands(3, 8, torch.bfloat16)
    assert rms_norm(x, weight.float(), EPS).dtype == torch.float32
    assert add_rms_norm(x, residual.float(), weight.float(), EPS)[1].dtype == torch.float32
    assert rms_norm(x.half(), weight.half(), EPS).dtype == torch.float16
    for implementation in KERNELS:
        y = rms_norm(x, weight.float(), EPS, implementation=implementation)
        assert torch.equal(y, reference.rms_norm(x, weight.float(), EPS))
        y, total = add_rms_norm(x, residual.float(), weight, EPS, implementation=implementation)
        expected = reference.add_rms_norm(x, residual.float(), weight, EPS)
        assert torch.equal(y, expected[0])
        assert torch.equal(total, expected[1])
    with pytest.raises(ConfigError, match="kernels=cpu: rms_norm has reference, triton"):
        rms_norm(x.half(), weight.half(), EPS, implementation="cpu")
    with pytest.raises(ConfigError, match="kernels=mamba_ssm: rms_norm has reference"):
        rms_norm(x, weight.float(), EPS, implementation="mamba_ssm")


def test_operands_that_disagree_are_named():
    x, residual, weight = operands(3, 8)
    with pytest.raises(DataError, match="rms_norm: weight of width 7, expected 8"):
        rms_norm.__wrapped__(x, weight[:7], EPS)
    with pytest.raises(DataError, match=r"residual of shape \(2, 8\), expected \(3, 8\)"):
        add_rms_norm.__wrapped__(x, residual[:2], weight, EPS)
