"""Exponentials of sixteen lanes against float64, near zero and at their edges."""

from typing import no_type_check

import numpy as np
import pytest
from numba import njit
from scipy.special import expit

from spider.kernels import lane_math
from spider.kernels.lanes import WIDTH, load, store

EXPECTED = {
    "exp2": np.exp2,
    "exp2_or_zero": np.exp2,
    "exp2_less_one": lambda x: np.expm1(x * np.log(2)),
    "exp_of_negative": np.exp,
    "softplus": lambda x: np.logaddexp(0, x),
    "sigmoid": expit,
}


def over_rows(function):
    @njit
    @no_type_check
    def apply(source, target, count):
        for first in range(0, count, WIDTH):
            store(target + 4 * first, function(load(source + 4 * first)))

    return apply


@pytest.fixture(scope="module")
def kernels():
    return {name: over_rows(getattr(lane_math, name)) for name in EXPECTED}


def applied(kernel, values):
    """Results for any number of values; zeros fill the last register."""
    values = np.asarray(values, np.float32)
    source = np.zeros(-(-len(values) // WIDTH) * WIDTH, np.float32)
    source[: len(values)] = values
    target = np.empty_like(source)
    kernel(source.ctypes.data, target.ctypes.data, len(source))
    return target[: len(values)]


def arguments(name):
    """Both signs where the function takes them, up to where results are normal float32."""
    random = np.random.default_rng(3)
    low, high = {
        "exp2": (-125.9, 126.9),
        "exp2_or_zero": (-125.9, 126.9),
        "exp2_less_one": (-125.9, 126.9),
        "exp_of_negative": (-87.2, 0.0),
        "softplus": (-87.2, 1e4),
        "sigmoid": (-87.2, 1e4),
    }[name]
    near_zero = random.normal(size=10_000) * 10.0 ** random.uniform(-8, 1, 10_000)
    near_zero = np.clip(near_zero, low, high)
    return np.concatenate([random.uniform(low, high, 10_000), near_zero]).astype(np.float32)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_relative_error_is_that_of_float32(kernels, name):
    x = arguments(name)
    expected = EXPECTED[name](x.astype(np.float64))
    found = applied(kernels[name], x)
    normal = abs(expected) >= np.finfo(np.float32).tiny
    error = abs(found - expected)[normal] / abs(expected)[normal]
    assert normal.mean() > 0.99
    assert error.max() <= 1e-6


def test_what_is_too_small_for_float32(kernels):
    smallest = np.float32(2.0**-126)
    low = [-126.5, -200, -1e30, -np.inf]
    assert (applied(kernels["exp2"], low) == smallest).all()
    assert (applied(kernels["exp2_or_zero"], low) == 0).all()
    assert (applied(kernels["exp2_less_one"], low) == -1).all()
    assert applied(kernels["exp2_or_zero"], [-126.0]) == smallest
    tiny = applied(kernels["exp_of_negative"], [-88, -1e30, -np.inf])
    assert ((tiny > 0) & (tiny < 2e-38)).all()


def test_powers_of_two_are_exact(kernels):
    powers = np.arange(-126, 128, dtype=np.float32)
    # NumPy's own exp2 of float32 is wrong in the last place at 127
    expected = np.exp2(powers.astype(np.float64))
    np.testing.assert_array_equal(applied(kernels["exp2"], powers), expected)
    assert (applied(kernels["exp2_less_one"], [0.0, -0.0]) == 0).all()
    assert applied(kernels["sigmoid"], [0.0]) == 0.5


@pytest.mark.parametrize("name", ["softplus", "sigmoid"])
def test_large_arguments_reach_their_limits(kernels, name):
    found = applied(kernels[name], [100.0, 3e38])
    assert (found == (1.0 if name == "sigmoid" else np.float32([100.0, 3e38]))).all()


@pytest.mark.parametrize("name", EXPECTED)
def test_nan_stays_nan_and_touches_no_other_lane(kernels, name):
    x = np.full(WIDTH, -0.5, np.float32)
    x[3] = np.nan
    found = applied(kernels[name], x)
    assert np.isnan(found).tolist() == np.isnan(x).tolist()


def test_a_positive_and_a_negative_sigmoid_make_one(kernels):
    x = arguments("sigmoid")[:10_000]
    x = x[abs(x) < 80]
    total = applied(kernels["sigmoid"], x) + applied(kernels["sigmoid"], -x)
    np.testing.assert_allclose(total, 1, rtol=3e-7)
