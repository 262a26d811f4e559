"""Gradients of the gated activation in numba: one pass, threads share the rows."""

from typing import no_type_check

from numba import prange

from jamba_reader.ops.activation import SILU
from jamba_reader.ops.machine.memory import load_at, store_at
from jamba_reader.ops.machine.scalar_math import gelu, gelu_gradient, silu, silu_gradient
from spider.compilation import njit


@njit(nogil=True, error_model="numpy")
@no_type_check
def differentiate(
    part, parts, element, d_y, d_y_stride, gate_up, stride, rows, width, d_gate_up, code
):
    """Write the gradient of gate and up, for one part of the rows."""
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        source, gate, to = row * d_y_stride, row * stride, row * 2 * width
        if code == SILU:
            for c in range(width):
                gradient, value = (
                    load_at(element, d_y, source + c),
                    load_at(element, gate_up, gate + c),
                )
                up = load_at(element, gate_up, gate + width + c)
                store_at(element, d_gate_up, to + c, gradient * up * silu_gradient(value))
                store_at(element, d_gate_up, to + width + c, gradient * silu(value))
        else:
            for c in range(width):
                gradient, value = (
                    load_at(element, d_y, source + c),
                    load_at(element, gate_up, gate + c),
                )
                up = load_at(element, gate_up, gate + width + c)
                store_at(element, d_gate_up, to + c, gradient * up * gelu_gradient(value))
                store_at(element, d_gate_up, to + width + c, gradient * gelu(value))


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def differentiate_in_parallel(_, parts, *operands):
    """Do every part, on as many threads."""
    for part in prange(parts):
        differentiate(part, parts, *operands)
