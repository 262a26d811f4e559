from typing import no_type_check

import numpy as np
from numba import njit
from scipy.special import erf

from spider.encoders.transformer.engine.gelu import gelu
from spider.kernels.lanes import WIDTH, load, store


@njit
@no_type_check
def _apply(source, target, count):
    for place in range(0, 4 * count, 4 * WIDTH):
        store(target + place, gelu(load(source + place)))


def _gelu(values):
    found = np.empty_like(values)
    _apply(values.ctypes.data, found.ctypes.data, len(values))
    return found


def test_the_polynomial_is_gelu():
    values = np.linspace(-12, 12, WIDTH * 20_000, dtype=np.float32)
    exact = values * 0.5 * (1 + erf(values.astype(np.float64) / np.sqrt(2)))
    error = np.abs(_gelu(values) - exact)
    assert error.max() < 7e-7
    # beyond the polynomial: exact, whatever its value there
    large = np.array([-1e30, -np.inf, -50, 50, 1e30, np.inf, np.nan, 0] * 2, dtype=np.float32)
    np.testing.assert_array_equal(
        _gelu(large), np.array([0, 0, 0, 50, 1e30, np.inf, np.nan, 0] * 2, dtype=np.float32)
    )
