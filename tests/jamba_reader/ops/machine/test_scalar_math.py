"""The vectorised maths against float64, at its edges, and as vector code."""

import re

import numpy as np
import pytest
import torch
from numba import njit
from scipy.special import expit, ndtr

from jamba_reader.ops.machine import memory, scalar_math

MATHS = {
    "exp": np.exp,
    "exp2": np.exp2,
    "sigmoid": expit,
    "silu": lambda x: x * expit(x),
    "silu_gradient": lambda x: expit(x) * (1 + x * expit(-x)),
    "gelu": lambda x: x * ndtr(x),
    "gelu_gradient": lambda x: ndtr(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi),
}


def over_matrix(function):
    @njit
    def apply(source, target):
        for row in range(source.shape[0]):
            for column in range(source.shape[1]):
                value = memory.load(source, row, column)
                memory.store(target, row, column, function(value))

    return apply


@pytest.fixture(scope="module")
def kernels():
    return {name: over_matrix(getattr(scalar_math, name)) for name in MATHS}


def applied(kernel, values):
    source = np.asarray(values, np.float32)[None]
    target = np.empty_like(source)
    kernel(source, target)
    return target[0]


@pytest.mark.parametrize("name", MATHS)
def test_agrees_with_float64(kernels, name):
    rng = np.random.default_rng(3)
    # where no result is below the normal float32 numbers
    low, high = (-12.5, 86.0) if name.startswith("gelu") else (-86.0, 86.0)
    x = np.concatenate([rng.uniform(low, high, 20_000), rng.normal(size=20_000), [0.0, -0.0]])
    x = x.astype(np.float32)
    expected = MATHS[name](x.astype(np.float64))
    # a derivative crosses zero, where only the error against its size elsewhere means anything
    floor = 0.1 if "gradient" in name else 0.0
    error = np.abs(applied(kernels[name], x) - expected)
    assert np.max(error / np.maximum(np.abs(expected), floor + 1e-45)) <= 2e-6


@pytest.mark.parametrize("name", MATHS)
def test_huge_inputs_give_numbers_and_nan_gives_nan(kernels, name):
    got = applied(kernels[name], [-1e30, 1e30, -3e38, 3e38, np.nan])
    assert np.isfinite(got[:4]).all()
    assert np.isnan(got[4])
    assert abs(got[0]) < 1e-30
    assert abs(got[2]) < 1e-30


@pytest.mark.parametrize("name", MATHS)
def test_is_vector_code(kernels, name):
    applied(kernels[name], [0.0])
    (code,) = kernels[name].inspect_asm().values()
    if not re.search(r"%xmm0", code):
        pytest.skip("registers of another processor")
    # packed multiplications, and no call into libm
    assert re.search(r"v?(mulps|fmadd\d+ps)", code)
    assert not re.search(r"\b(expf?|exp2f?|erff?|fmaf)(@PLT)?\b", code)


def test_bfloat16_matrices_are_widened_and_rounded_to_even(kernels):
    bits = torch.arange(-(2**15), 2**15, dtype=torch.int16)
    every = bits.view(torch.bfloat16)
    copy = over_matrix(njit(lambda value: value))
    target = np.empty((1, 2**16), np.float32)
    copy(bits.numpy()[None], target)
    assert torch.equal(torch.from_numpy(target[0]).nan_to_num(7), every.float().nan_to_num(7))

    floats = torch.randn(4096, generator=torch.Generator().manual_seed(1)) * 2.0**20
    halfway = torch.tensor([1.00390625, 1.01171875, -1.00390625, torch.inf, 3.3961e38, torch.nan])
    floats = torch.cat([floats, halfway])[None]
    narrow = np.empty(floats.shape, np.int16)
    copy(floats.numpy(), narrow)
    got = torch.from_numpy(narrow).view(torch.bfloat16)
    assert torch.equal(got.nan_to_num(7), floats.bfloat16().nan_to_num(7))


def test_rows_may_be_strided(kernels):
    wide = np.random.default_rng(0).normal(size=(3, 40)).astype(np.float32)
    target = np.zeros((3, 33), np.float32)
    kernels["silu"](wide[:, 5:25], target[:, 2:22])
    np.testing.assert_allclose(
        target[:, 2:22], MATHS["silu"](wide[:, 5:25].astype(np.float64)), rtol=1e-6
    )
    assert not target[:, :2].any()
    assert not target[:, 22:].any()
