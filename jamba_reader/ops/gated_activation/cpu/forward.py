"""The gated activation in numba: one pass, threads share the rows."""

from typing import no_type_check

from numba import prange

from jamba_reader.ops.activation import SILU
from jamba_reader.ops.machine.memory import load_at, store_at
from jamba_reader.ops.machine.scalar_math import gelu, silu
from spider.compilation import njit


@njit(nogil=True, error_model="numpy")
@no_type_check
def activate(part, parts, element, gate_up, stride, rows, width, y, code):
    """Write the activated gate times up, for one part of the rows."""
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        gate, up, to = row * stride, row * stride + width, row * width
        if code == SILU:
            for c in range(width):
                activated = silu(load_at(element, gate_up, gate + c))
                store_at(element, y, to + c, activated * load_at(element, gate_up, up + c))
        else:
            for c in range(width):
                activated = gelu(load_at(element, gate_up, gate + c))
                store_at(element, y, to + c, activated * load_at(element, gate_up, up + c))


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def activate_in_parallel(_, parts, *operands):
    """Do every part, on as many threads."""
    for part in prange(parts):
        activate(part, parts, *operands)
