"""Maths of single float32 for numba loops that LLVM turns into vector code.

There is no libm call and no branch. numba without SVML leaves ``math.exp`` a scalar call, and a
loop around it stays scalar. These functions are polynomials and selections instead, so the loop
vectorises whole.

Polynomials are minimax fits in float64 by Lawson's iteration; the stated errors are relative,
measured in float32. Functions here are called from other ``@njit`` functions only.
"""

from typing import no_type_check

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spider.compilation import njit

_LOG2E_HIGH = np.float32(1.4426950408889634)


_LOG2E_LOW = np.float32(1.4426950408889634 - float(np.float32(1.4426950408889634)))


# adding and subtracting it rounds to an integer; after the addition, the low bits hold it
_ROUNDER = np.float32(1.5 * 2**23)


_FLOAT = ir.FloatType()


_INT32 = ir.IntType(32)


_INT16 = ir.IntType(16)


@intrinsic
@no_type_check
def fma(typing_context, a, b, c):
    """``a * b + c``, rounded once if the machine has such an instruction."""

    def generate(context, builder, signature, operands):
        kind = ir.FunctionType(_FLOAT, [_FLOAT] * 3)
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.fmuladd.f32")
        return builder.call(function, operands)

    return types.float32(types.float32, types.float32, types.float32), generate


@intrinsic
@no_type_check
def _scale_by_power(typing_context, x, shifted):
    """``x`` times two to the integer in the low bits of ``shifted``; x in [0.5, 2)."""

    def generate(context, builder, signature, operands):
        bits, exponent = (builder.bitcast(operand, _INT32) for operand in operands)
        scaled = builder.add(bits, builder.shl(exponent, _INT32(23)))
        return builder.bitcast(scaled, _FLOAT)

    return types.float32(types.float32, types.float32), generate


@njit(error_model="numpy")
@no_type_check
def _exp2_fraction(fraction, shifted):
    """Two to the ``fraction`` (at most half a unit either way), scaled; 9e-8 before rounding."""
    p = fma(np.float32(1.32647271e-3), fraction, np.float32(9.67151264e-3))
    p = fma(p, fraction, np.float32(5.55073374e-2))
    p = fma(p, fraction, np.float32(2.40222421e-1))
    p = fma(p, fraction, np.float32(6.93146978e-1))
    p = fma(p, fraction, np.float32(1))
    return _scale_by_power(p, shifted)


@njit(error_model="numpy")
@no_type_check
def exp2(x):
    """2**x to 2e-7; 0 below -126, at most 2**127, NaN kept."""
    clamped = np.float32(-126) if x < np.float32(-126) else x
    clamped = np.float32(127) if clamped > np.float32(127) else clamped
    shifted = clamped + _ROUNDER
    power = _exp2_fraction(clamped - (shifted - _ROUNDER), shifted)
    return np.float32(0) if x < np.float32(-126) else power


@njit(error_model="numpy")
@no_type_check
def exp(x):
    """e**x to 2e-7; 0 below -87.3, at most e**88, NaN kept."""
    clamped = np.float32(-87.3) if x < np.float32(-87.3) else x
    clamped = np.float32(88) if clamped > np.float32(88) else clamped
    shifted = fma(clamped, _LOG2E_HIGH, _ROUNDER)
    fraction = fma(clamped, _LOG2E_HIGH, -(shifted - _ROUNDER))
    power = _exp2_fraction(fma(clamped, _LOG2E_LOW, fraction), shifted)
    return np.float32(0) if x < np.float32(-87.3) else power


@njit(error_model="numpy")
@no_type_check
def _exp_of_negated(x):
    """e**-x to 3e-7, with x held between -87 and 87; one polynomial and no selection."""
    clamped = np.float32(87) if x > np.float32(87) else x
    clamped = np.float32(-87) if clamped < np.float32(-87) else clamped
    shifted = fma(-clamped, _LOG2E_HIGH, _ROUNDER)
    fraction = fma(-clamped, _LOG2E_HIGH, -(shifted - _ROUNDER))
    return _exp2_fraction(fma(-clamped, _LOG2E_LOW, fraction), shifted)


@njit(error_model="numpy")
@no_type_check
def sigmoid(x):
    """1 / (1 + e**-x) to 3e-7; never below e**-87."""
    return np.float32(1) / (np.float32(1) + _exp_of_negated(x))


@njit(error_model="numpy")
@no_type_check
def silu(x):
    """Sigmoid-weighted x, ``x * sigmoid(x)``."""
    # where sigmoid stops shrinking, x must stop growing
    held = np.float32(-87) if x < np.float32(-87) else x
    return held / (np.float32(1) + _exp_of_negated(held))


@njit(error_model="numpy")
@no_type_check
def silu_gradient(x):
    """Derivative of ``silu``."""
    held = np.float32(-87) if x < np.float32(-87) else x
    decay = _exp_of_negated(held)
    above = np.float32(1) / (np.float32(1) + decay)
    # not 1 - above, which loses every digit where that is close to 1; held again, for infinity
    below = decay * above
    held = np.float32(87) if held > np.float32(87) else held
    return fma(held * above, below, above)


@njit(error_model="numpy")
@no_type_check
def _normal(x):
    """Density's exponential e**(-x*x/2) and distribution function of the normal law, to 3e-7.

    The upper tail is e**(-x*x/2) times a polynomial in 1 / (1 + |x|/4). Far tails so keep their
    relative precision, which 1 + erf loses.
    """
    size = abs(x)
    # beyond 14, e**(-x*x/2) is 0; the bound also avoids infinity minus infinity below
    size = np.float32(14) if size > np.float32(14) else size
    square = size * size
    lost = fma(size, size, -square)
    bell = exp(np.float32(-0.5) * square)
    bell = fma(bell, np.float32(-0.5) * lost, bell)
    t = np.float32(1) / fma(np.float32(0.25), size, np.float32(1))
    p = fma(np.float32(0.0338416577), t, np.float32(-0.195611809))
    p = fma(p, t, np.float32(0.393682535))
    p = fma(p, t, np.float32(-0.331722849))
    p = fma(p, t, np.float32(0.303042314))
    p = fma(p, t, np.float32(-0.0196111569))
    p = fma(p, t, np.float32(0.12130081))
    p = fma(p, t, np.float32(0.0948776991))
    p = fma(p, t, np.float32(0.100222028))
    p = fma(p, t, np.float32(-2.12365845e-05))
    tail = bell * p
    return bell, (tail if x < np.float32(0) else np.float32(1) - tail)


@njit(error_model="numpy")
@no_type_check
def gelu(x):
    """Return x times the normal distribution function at x, to 5e-7 in both tails."""
    return x * _normal(x)[1]


@njit(error_model="numpy")
@no_type_check
def gelu_gradient(x):
    """Derivative of ``gelu``."""
    bell, below = _normal(x)
    size = np.float32(14) if x > np.float32(14) else x
    size = np.float32(-14) if size < np.float32(-14) else size
    return fma(size * np.float32(0.3989422804), bell, below)
