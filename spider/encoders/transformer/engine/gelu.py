"""GELU of sixteen lanes: x times the normal distribution function at x.

The distribution function less one half, divided by x, is a smooth function of x squared. Here it is
a polynomial: a minimax fit in float64 over x from -5.4 to 5.4 by Lawson's iteration. The square is
scaled to -1 .. 1, so little is lost in float32. The error is below 7e-7 from -12 to 12; beyond 5.4
the result is x or 0. There is no exponential and no division, which would take most of the time.
"""

from typing import no_type_check

import numpy as np

from spider.compilation import njit
from spider.kernels.lanes import broadcast, fma, maximum, negative_magnitude, where_negative

BOUND = np.float32(5.4)
SCALE = np.float32(2 / 5.4**2)
"""Scales the square."""
COEFFICIENTS = tuple(
    np.float32(c)
    for c in (
        0.13092811,
        -0.065327995,
        0.048499368,
        -0.039208815,
        0.032121304,
        -0.02572757,
        0.019609438,
        -0.0140381185,
        0.00977555,
        -0.006573916,
        0.0034427533,
        -0.0013127733,
        0.0010570567,
        -0.000985536,
        0.00033372402,
    )
)
"""Of the powers of the scaled square, lowest first."""


@njit
@no_type_check
def gelu(x):
    """GELU to 7e-7; NaN kept."""
    u = fma(x * x, broadcast(SCALE), broadcast(np.float32(-1)))
    q = broadcast(COEFFICIENTS[14])
    q = fma(q, u, broadcast(COEFFICIENTS[13]))
    q = fma(q, u, broadcast(COEFFICIENTS[12]))
    q = fma(q, u, broadcast(COEFFICIENTS[11]))
    q = fma(q, u, broadcast(COEFFICIENTS[10]))
    q = fma(q, u, broadcast(COEFFICIENTS[9]))
    q = fma(q, u, broadcast(COEFFICIENTS[8]))
    q = fma(q, u, broadcast(COEFFICIENTS[7]))
    q = fma(q, u, broadcast(COEFFICIENTS[6]))
    q = fma(q, u, broadcast(COEFFICIENTS[5]))
    q = fma(q, u, broadcast(COEFFICIENTS[4]))
    q = fma(q, u, broadcast(COEFFICIENTS[3]))
    q = fma(q, u, broadcast(COEFFICIENTS[2]))
    q = fma(q, u, broadcast(COEFFICIENTS[1]))
    q = fma(q, u, broadcast(COEFFICIENTS[0]))
    inside = x * fma(x, q, broadcast(np.float32(0.5)))
    # this order: ``maximum`` returns its second operand where one is NaN
    outside = maximum(broadcast(np.float32(0)), x)
    return where_negative(negative_magnitude(x) + broadcast(BOUND), outside, inside)
