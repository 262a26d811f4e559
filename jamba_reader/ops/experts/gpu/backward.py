"""Gradients of the routed experts in Triton; the products are those of ``forward``."""

from typing import no_type_check

import triton
import triton.language as tl

from jamba_reader.ops.experts.gpu.forward import dot, gate_of


@triton.jit
@no_type_check
def gate_backward_kernel(
    gate_up, scale, d_inner, shares, order, row_experts, inner, d_gate_up, d_shares,
    width: tl.constexpr, scaled: tl.constexpr, silu: tl.constexpr, column_block: tl.constexpr,
):  # fmt: skip
    """Through ``share * act(gate) * up`` of one row; see ``cpu.rows.gate_rows_backward``."""
    row = tl.program_id(0).to(tl.int64)
    pair = tl.load(order + row)
    share = tl.load(shares + pair).to(tl.float32)
    expert = tl.load(row_experts + row)
    total = tl.zeros((column_block,), tl.float32)
    kind = inner.dtype.element_ty
    for start in range(0, width, column_block):
        columns = start + tl.arange(0, column_block)
        used = columns < width
        both = gate_up + row * 2 * width + columns
        gate = tl.load(both, mask=used, other=0.0).to(tl.float32)
        up = tl.load(both + width, mask=used, other=0.0).to(tl.float32)
        above = tl.load(d_inner + row * width + columns, mask=used, other=0.0).to(tl.float32)
        active, slope = gate_of(gate, silu)
        total += active * up * above
        above *= share
        d_gate, d_up = above * up * slope, above * active
        if scaled:
            of = scale + expert * 2 * width + columns
            d_gate *= tl.load(of, mask=used, other=0.0)
            d_up *= tl.load(of + width, mask=used, other=0.0)
        tl.store(inner + row * width + columns, (active * up * share).to(kind), mask=used)
        both = d_gate_up + row * 2 * width + columns
        tl.store(both, d_gate.to(kind), mask=used)
        tl.store(both + width, d_up.to(kind), mask=used)
    tl.store(d_shares + pair, tl.sum(total))


@triton.jit
@no_type_check
def _add_outer(
    total, a, a_stride, a_source, b, b_stride, b_source, start, last, i, j, m, n,
    has_a_source: tl.constexpr, has_b_source: tl.constexpr, wide: tl.constexpr,
    depth_block: tl.constexpr,
):  # fmt: skip
    """``total + a[rows].T @ b[rows]`` for a block of rows from ``start`` and before ``last``."""
    rows = start + tl.arange(0, depth_block)
    real = rows < last
    a_row, b_row = rows, rows
    if has_a_source:
        a_row = tl.load(a_source + rows, mask=real, other=0)
    if has_b_source:
        b_row = tl.load(b_source + rows, mask=real, other=0)
    a_there, b_there = (i < m)[:, None] & real[None, :], real[:, None] & (j < n)[None, :]
    left = tl.load(a + a_row[None, :] * a_stride + i[:, None], mask=a_there, other=0.0)
    right = tl.load(b + b_row[:, None] * b_stride + j[None, :], mask=b_there, other=0.0)
    return dot(left, right, total, wide)


@triton.jit
@no_type_check
def weight_gradient_kernel(
    a, a_stride, a_source, b, b_stride, b_source, offsets, out, m, n,
    has_a_source: tl.constexpr, has_b_source: tl.constexpr, wide: tl.constexpr,
    interpreted: tl.constexpr, row_block: tl.constexpr, column_block: tl.constexpr,
    depth_block: tl.constexpr,
):  # fmt: skip
    """``out[e] = a_e.T @ b_e`` over the rows of each expert; zeros for one without rows."""
    expert = tl.program_id(2)
    i = tl.program_id(0) * row_block + tl.arange(0, row_block)
    j = tl.program_id(1) * column_block + tl.arange(0, column_block)
    first, last = tl.load(offsets + expert), tl.load(offsets + expert + 1)
    total = tl.zeros((row_block, column_block), tl.float32)
    if interpreted:
        # the interpreter's range takes no tensor with numpy 2.4; only a for loop is pipelined
        start = first
        while start < last:
            total = _add_outer(
                total, a, a_stride, a_source, b, b_stride, b_source, start, last, i, j, m, n,
                has_a_source, has_b_source, wide, depth_block,
            )  # fmt: skip
            start += depth_block
    else:
        for start in range(first, last, depth_block):
            total = _add_outer(
                total, a, a_stride, a_source, b, b_stride, b_source, start, last, i, j, m, n,
                has_a_source, has_b_source, wide, depth_block,
            )  # fmt: skip
    place = out + expert.to(tl.int64) * m * n + i[:, None].to(tl.int64) * n + j[None, :]
    tl.store(place, total.to(out.dtype.element_ty), mask=(i < m)[:, None] & (j < n)[None, :])
