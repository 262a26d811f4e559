"""The gated activation in numba, forward and backward: one pass, threads share the rows."""

from typing import no_type_check

import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from jamba_reader.ops.machine.activation import SILU
from jamba_reader.ops.machine.memory import load_at, memory_kind, parts_of, store_at
from jamba_reader.ops.machine.scalar_math import gelu, gelu_gradient, silu, silu_gradient
from spider.compilation import njit


def forward(
    gate_up: Float[Tensor, "tokens gate_and_up"], code: int
) -> Float[Tensor, "tokens intermediate"]:
    """Return the activated gate times up.

    Args:
        gate_up: gate columns, then as many up columns.
        code: number of the activation.
    """
    rows, width = gate_up.shape[0], gate_up.shape[1] // 2
    y = torch.empty((rows, width), dtype=gate_up.dtype)
    parts = parts_of(y.numel())
    (_forward if parts == 1 else _forward_parallel)(
        0,
        parts,
        memory_kind(gate_up.dtype),
        gate_up.data_ptr(),
        gate_up.stride(0),
        rows,
        width,
        y.data_ptr(),
        code,
    )
    return y


def backward(
    d_y: Float[Tensor, "tokens intermediate"],
    gate_up: Float[Tensor, "tokens gate_and_up"],
    code: int,
) -> Float[Tensor, "tokens gate_and_up"]:
    """Return the gradient of ``gate_up``."""
    rows, width = d_y.shape
    d_gate_up = torch.empty(gate_up.shape, dtype=gate_up.dtype)
    parts = parts_of(d_gate_up.numel())
    (_backward if parts == 1 else _backward_parallel)(
        0,
        parts,
        memory_kind(gate_up.dtype),
        d_y.data_ptr(),
        d_y.stride(0),
        gate_up.data_ptr(),
        gate_up.stride(0),
        rows,
        width,
        d_gate_up.data_ptr(),
        code,
    )
    return d_gate_up


@njit(nogil=True, error_model="numpy")
@no_type_check
def _forward(part, parts, kind, gate_up, stride, rows, width, y, code):
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        gate, up, to = row * stride, row * stride + width, row * width
        if code == SILU:
            for c in range(width):
                activated = silu(load_at(kind, gate_up, gate + c))
                store_at(kind, y, to + c, activated * load_at(kind, gate_up, up + c))
        else:
            for c in range(width):
                activated = gelu(load_at(kind, gate_up, gate + c))
                store_at(kind, y, to + c, activated * load_at(kind, gate_up, up + c))


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def _forward_parallel(_, parts, *operands):
    for part in prange(parts):
        _forward(part, parts, *operands)


@njit(nogil=True, error_model="numpy")
@no_type_check
def _backward(part, parts, kind, d_y, d_y_stride, gate_up, stride, rows, width, d_gate_up, code):
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        source, gate, to = row * d_y_stride, row * stride, row * 2 * width
        if code == SILU:
            for c in range(width):
                gradient, value = load_at(kind, d_y, source + c), load_at(kind, gate_up, gate + c)
                up = load_at(kind, gate_up, gate + width + c)
                store_at(kind, d_gate_up, to + c, gradient * up * silu_gradient(value))
                store_at(kind, d_gate_up, to + width + c, gradient * silu(value))
        else:
            for c in range(width):
                gradient, value = load_at(kind, d_y, source + c), load_at(kind, gate_up, gate + c)
                up = load_at(kind, gate_up, gate + width + c)
                store_at(kind, d_gate_up, to + c, gradient * up * gelu_gradient(value))
                store_at(kind, d_gate_up, to + width + c, gradient * gelu(value))


@njit(nogil=True, error_model="numpy", parallel=True)
@no_type_check
def _backward_parallel(_, parts, *operands):
    for part in prange(parts):
        _backward(part, parts, *operands)
