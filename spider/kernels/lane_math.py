"""Exponential, softplus and sigmoid of sixteen lanes.

The polynomials are minimax fits made in float64 by Lawson's iteration. ``2**r - 1`` has no constant
term, so a decay that is nearly one is as exact as float32 allows.
"""

from typing import no_type_check

import numpy as np

from spider.compilation import njit
from spider.kernels.lanes import (
    broadcast,
    fma,
    maximum,
    negative_magnitude,
    times_power_of_two,
    where_negative,
)

LOG2E = np.float32(1.4426950408889634)


_LOG2E_REST = np.float32(1.4426950408889634 - float(LOG2E))


_ONE = np.float32(1)


_TWO = np.float32(2)


_SMALLEST_EXPONENT = np.float32(-126)


_SMALLEST_LOGARITHM = np.float32(-87.3)


# adding and subtracting it rounds to an integer; after the addition, the low bits hold it
_ROUNDER = np.float32(1.5 * 2**23)


# (2**r - 1) / r for |r| <= 1/2
_POWER = tuple(
    np.float32(c) for c in (0.69314714, 0.24022351, 0.055505002, 0.0096662455, 0.0013333539)
)


# atanh(s) / s in s**2 for s <= 1/3
_ATANH = tuple(np.float32(c) for c in (1.0, 0.33333157, 0.20012455, 0.139803, 0.14089172))


@njit
@no_type_check
def _power_less_one(r):
    """``2**r - 1`` for ``abs(r) <= 1/2``; relative error 4e-7."""
    q = fma(broadcast(_POWER[4]), r, broadcast(_POWER[3]))
    q = fma(q, r, broadcast(_POWER[2]))
    q = fma(q, r, broadcast(_POWER[1]))
    return r * fma(q, r, broadcast(_POWER[0]))


@njit
@no_type_check
def exp2(x):
    """``2**x`` for x up to 127; results below 2**-126 become 2**-126."""
    # this order, here and below: ``maximum`` returns its second operand where one is NaN
    x = maximum(broadcast(_SMALLEST_EXPONENT), x)
    shifted = x + broadcast(_ROUNDER)
    r = x - (shifted - broadcast(_ROUNDER))
    q = fma(broadcast(_POWER[4]), r, broadcast(_POWER[3]))
    q = fma(q, r, broadcast(_POWER[2]))
    q = fma(q, r, broadcast(_POWER[1]))
    q = fma(q, r, broadcast(_POWER[0]))
    return times_power_of_two(fma(q, r, broadcast(_ONE)), shifted)


@njit
@no_type_check
def exp2_or_zero(x):
    """``2**x`` for x up to 127; results below 2**-126 become 0, as for hidden keys."""
    above = x - broadcast(_SMALLEST_EXPONENT)
    return where_negative(above, broadcast(np.float32(0)), exp2(x))


@njit
@no_type_check
def exp2_less_one(x):
    """``2**x - 1``, exact to float32 also near zero."""
    x = maximum(broadcast(_SMALLEST_EXPONENT), x)
    shifted = x + broadcast(_ROUNDER)
    power = times_power_of_two(broadcast(_ONE), shifted)
    small = _power_less_one(x - (shifted - broadcast(_ROUNDER)))
    return fma(power, small, power - broadcast(_ONE))


@njit
@no_type_check
def exp_of_negative(x):
    """``e**x`` for x up to 0; the argument's reduction is carried in two parts."""
    x = maximum(broadcast(_SMALLEST_LOGARITHM), x)
    shifted = fma(x, broadcast(LOG2E), broadcast(_ROUNDER))
    r = fma(x, broadcast(LOG2E), broadcast(_ROUNDER) - shifted)
    r = fma(x, broadcast(_LOG2E_REST), r)
    return times_power_of_two(broadcast(_ONE) + _power_less_one(r), shifted)


@njit
@no_type_check
def softplus(x):
    """``log(1 + e**x)``, to relative accuracy for very negative x too, where it is ``e**x``."""
    small = exp_of_negative(negative_magnitude(x))
    s = small / (small + broadcast(_TWO))
    z = s * s
    q = fma(broadcast(_ATANH[4]), z, broadcast(_ATANH[3]))
    q = fma(q, z, broadcast(_ATANH[2]))
    q = fma(q, z, broadcast(_ATANH[1]))
    q = fma(q, z, broadcast(_ATANH[0]))
    # this order: ``maximum`` returns its second operand where one is NaN
    return fma(s + s, q, maximum(broadcast(np.float32(0)), x))


@njit
@no_type_check
def sigmoid(x):
    """``1 / (1 + e**-x)``, to relative accuracy for very negative x too."""
    small = exp_of_negative(negative_magnitude(x))
    numerator = where_negative(x, small, broadcast(_ONE))
    return numerator / (small + broadcast(_ONE))
