"""Triton kernels of the routed experts: matrix products over rows grouped by expert.

Rows are the (token, choice) pairs sorted by expert, cut into tiles that never cross from one expert
to the next; a program finds its expert by counting the ends of tile runs before it. Int8 weights
are cast a tile at a time, which is exact, and the accumulator is scaled once.

``wide`` multiplies in float32 without shortening: for float32 inputs, and under the interpreter,
whose ``tl.dot`` takes bfloat16 for integers. Offsets into weights and rows are int64: 16 experts of
28,672 x 4,096 are 1.9e9 elements, and longer prompts pass 2^31.
"""

from typing import no_type_check

import triton
import triton.language as tl


@triton.jit
@no_type_check
def dot(a, b, total, wide: tl.constexpr):
    """Add a product to ``total``; ``wide`` multiplies in float32 without shortening."""
    if wide:
        return tl.dot(a.to(tl.float32), b.to(tl.float32), total, input_precision="ieee")
    return tl.dot(a, b.to(a.dtype), total)


@triton.jit
@no_type_check
def place_of(
    row_tiles,
    column_tiles,
    tile_ends,
    offsets,
    experts,
    expert_lanes: tl.constexpr,
    row_block: tl.constexpr,
    group_rows: tl.constexpr,
):
    """Expert, first row, end of the expert's rows, and column tile of this program."""
    program = tl.program_id(0)
    # groups of row tiles share the weights' columns while these are in the cache
    group = program // (group_rows * column_tiles)
    size = tl.minimum(row_tiles - group * group_rows, group_rows)
    within = program % (group_rows * column_tiles)
    row_tile = group * group_rows + within % size
    column_tile = within // size
    index = tl.arange(0, expert_lanes)
    ends = tl.load(tile_ends + index, mask=index < experts, other=2147483647)
    expert = tl.sum((ends <= row_tile).to(tl.int32))
    before = tl.sum(tl.where(index == expert - 1, ends, 0))
    used = expert < experts
    expert = tl.minimum(expert, experts - 1)
    first = tl.load(offsets + expert) + (row_tile - before) * row_block
    last = tl.where(used, tl.load(offsets + expert + 1), 0)
    return expert.to(tl.int64), first, last, column_tile


@triton.jit
@no_type_check
def gate_of(gate, silu: tl.constexpr):
    """The activation and its derivative."""
    if silu:
        rate = 1.0 / (1.0 + tl.exp(-gate))
        active = gate * rate
        slope = rate * (1.0 + gate * (1.0 - rate))
    else:
        below = 0.5 * (1.0 + tl.erf(gate * 0.7071067811865476))
        active = gate * below
        slope = below + gate * 0.3989422804014327 * tl.exp(-0.5 * gate * gate)
    return active, slope


@triton.jit
@no_type_check
def gate_up_kernel(
    x, x_stride, weight, scale, tokens, offsets, tile_ends, gate_up, inner,
    row_tiles, column_tiles, experts,
    hidden: tl.constexpr, width: tl.constexpr, expert_lanes: tl.constexpr,
    scaled: tl.constexpr, keep: tl.constexpr, silu: tl.constexpr, wide: tl.constexpr,
    row_block: tl.constexpr, column_block: tl.constexpr, depth_block: tl.constexpr,
    group_rows: tl.constexpr,
):  # fmt: skip
    """``inner = act(gate) * up``; with ``keep`` gate and up too, scaled."""
    expert, first, last, column_tile = place_of(
        row_tiles, column_tiles, tile_ends, offsets, experts, expert_lanes, row_block, group_rows
    )
    if first >= last:
        return
    rows = first + tl.arange(0, row_block)
    columns = column_tile * column_block + tl.arange(0, column_block)
    depth = tl.arange(0, depth_block)
    real, used = rows < last, columns < width
    token = tl.load(tokens + rows, mask=real, other=0)
    a = x + token[:, None] * x_stride + depth[None, :]
    b = weight + expert * 2 * width * hidden + columns[None, :].to(tl.int64) * hidden
    b += depth[:, None]
    up_rows = width * hidden
    gate = tl.zeros((row_block, column_block), tl.float32)
    up = tl.zeros((row_block, column_block), tl.float32)
    for start in range(0, hidden, depth_block):
        left = depth < hidden - start
        tile = tl.load(a + start, mask=real[:, None] & left[None, :], other=0.0)
        there = left[:, None] & used[None, :]
        gate = dot(tile, tl.load(b + start, mask=there, other=0), gate, wide)
        up = dot(tile, tl.load(b + start + up_rows, mask=there, other=0), up, wide)
    if scaled:
        of = scale + expert * 2 * width + columns
        gate *= tl.load(of, mask=used, other=0.0)[None, :]
        up *= tl.load(of + width, mask=used, other=0.0)[None, :]
    there = real[:, None] & used[None, :]
    kind = inner.dtype.element_ty
    if keep:
        both = gate_up + rows[:, None] * 2 * width + columns[None, :]
        tl.store(both, gate.to(kind), mask=there)
        tl.store(both + width, up.to(kind), mask=there)
    active, _slope = gate_of(gate, silu)
    tl.store(inner + rows[:, None] * width + columns[None, :], (active * up).to(kind), mask=there)


@triton.jit
@no_type_check
def product_kernel(
    x, x_stride, source, weight, scale, target, offsets, tile_ends, out,
    row_tiles, column_tiles, experts,
    inputs: tl.constexpr, outputs: tl.constexpr, step: tl.constexpr, stride: tl.constexpr,
    expert_lanes: tl.constexpr, scaled: tl.constexpr, has_source: tl.constexpr,
    has_target: tl.constexpr, wide: tl.constexpr, row_block: tl.constexpr,
    column_block: tl.constexpr, depth_block: tl.constexpr,
    group_rows: tl.constexpr,
):  # fmt: skip
    """``out[target[i]] = (x[source[i]] @ W) * scale``, W[k, n] at ``k * step + n * stride``."""
    expert, first, last, column_tile = place_of(
        row_tiles, column_tiles, tile_ends, offsets, experts, expert_lanes, row_block, group_rows
    )
    if first >= last:
        return
    rows = first + tl.arange(0, row_block)
    columns = column_tile * column_block + tl.arange(0, column_block)
    depth = tl.arange(0, depth_block)
    real, used = rows < last, columns < outputs
    row = rows
    if has_source:
        row = tl.load(source + rows, mask=real, other=0)
    a = x + row[:, None] * x_stride + depth[None, :]
    b = weight + expert * inputs * outputs + columns[None, :].to(tl.int64) * stride
    b += depth[:, None].to(tl.int64) * step
    total = tl.zeros((row_block, column_block), tl.float32)
    for start in range(0, inputs, depth_block):
        left = depth < inputs - start
        tile = tl.load(a + start, mask=real[:, None] & left[None, :], other=0.0)
        there = left[:, None] & used[None, :]
        total = dot(tile, tl.load(b, mask=there, other=0), total, wide)
        b += depth_block * step
    if scaled:
        total *= tl.load(scale + expert * outputs + columns, mask=used, other=0.0)[None, :]
    row = rows
    if has_target:
        row = tl.load(target + rows, mask=real, other=0)
    there = real[:, None] & used[None, :]
    place = out + row[:, None] * outputs + columns[None, :]
    tl.store(place, total.to(out.dtype.element_ty), mask=there)


@triton.jit
@no_type_check
def combine_kernel(
    rows,
    shares,
    y,
    hidden,
    has_shares: tl.constexpr,
    choices: tl.constexpr,
    column_block: tl.constexpr,
):
    """``y[t] = sum_k shares[t, k] * rows[t * choices + k]``, always in this order."""
    token = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * column_block + tl.arange(0, column_block)
    used = columns < hidden
    total = tl.zeros((column_block,), tl.float32)
    for choice in range(choices):
        pair = token * choices + choice
        row = tl.load(rows + pair * hidden + columns, mask=used, other=0.0).to(tl.float32)
        if has_shares:
            row *= tl.load(shares + pair).to(tl.float32)
        total += row
    tl.store(y + token * hidden + columns, total.to(y.dtype.element_ty), mask=used)
