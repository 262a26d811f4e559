"""Routed experts on a GPU: launches the kernels of ``forward`` and ``backward``.

Nothing here waits for the GPU: how many rows an expert has is never read back, so grids are sized
for the worst case and programs without rows return at once. Expert ids are trusted for the same
reason.
"""

from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from jamba_reader.ops.activation import ActivationName
from jamba_reader.ops.experts.gpu.backward import gate_backward_kernel, weight_gradient_kernel
from jamba_reader.ops.experts.gpu.forward import combine_kernel, gate_up_kernel, product_kernel
from jamba_reader.ops.experts.operands import ExpertGradients, ExpertWeights
from jamba_reader.ops.selection import interpreting


class Tiles(NamedTuple):
    """Size of what one program computes, and how it is pipelined."""

    rows: int
    columns: int
    depth: int
    group: int
    warps: int
    stages: int


class Routing(NamedTuple):
    """The pairs sorted by expert."""

    order: Tensor
    tokens: Tensor
    offsets: Tensor
    row_experts: Tensor


class Kept(NamedTuple):
    """What the backward pass needs of the forward pass."""

    routing: Routing
    gate_up: Tensor


def tiles_for(rows: int, experts: int, x: Tensor) -> Tiles:
    """Return tiles for a number of rows like those of x, spread over a number of experts.

    With few rows per expert the product is bound by reading weights: short, many, deep tiles.
    Float32 tiles are shallower, and a GPU with less shared memory holds fewer stages of them.
    """
    if interpreting():
        return Tiles(16, 32, 32, 2, 4, 1)
    itemsize = x.element_size()
    if rows <= 32 * experts:
        tiles = Tiles(16, 32, 512 // itemsize if itemsize < 4 else 64, 1, 4, 4)
    elif rows <= 128 * experts:
        tiles = Tiles(64, 64, 128 // itemsize, 8, 4, 4)
    else:
        tiles = Tiles(128, 128, 128 // itemsize, 8, 8, 3)
    # a tile of x, one of gate and one of up; one stage is in registers
    stage = (tiles.rows + 2 * tiles.columns) * tiles.depth * itemsize
    return tiles._replace(stages=min(tiles.stages, 1 + shared_memory(x.device) // stage))


@cache
def shared_memory(device: torch.device) -> int:
    """Return the bytes of shared memory that a program may have: 227 KiB on an H100, else less."""
    properties: Any = torch.cuda.get_device_properties(device)
    # older torch does not report it; every GPU with bfloat16 has this much
    return int(getattr(properties, "shared_memory_per_block_optin", 99 * 1024))


def route(expert_ids: Tensor, experts: int) -> Routing:
    """Sort the pairs by expert, keeping their order within one."""
    flat = expert_ids.reshape(-1)
    row_experts, order = torch.sort(flat, stable=True)
    offsets = torch.zeros(experts + 1, dtype=torch.int64, device=flat.device)
    offsets[1:].scatter_add_(0, flat, torch.ones_like(flat))
    return Routing(order, order // expert_ids.shape[1], offsets.cumsum(0), row_experts)


def forward(
    x: Tensor,
    experts: ExpertWeights,
    expert_ids: Tensor,
    expert_weights: Tensor,
    activation: ActivationName,
    *,
    keep: bool,
) -> tuple[Tensor, Kept | None]:
    """Return the experts' weighted sum, and with ``keep`` what ``backward`` needs."""
    count, hidden, width = experts.down.shape
    pairs = expert_ids.numel()
    routing = route(expert_ids, count)
    inner = x.new_empty(pairs, width)
    gate_up = x.new_empty(pairs, 2 * width) if keep else inner
    if pairs:
        tiles = tiles_for(pairs, count, x)
        row_tiles, ends = _row_tiles(routing.offsets, pairs, tiles.rows)
        column_tiles = -(-width // tiles.columns)
        gate_up_kernel[(row_tiles * column_tiles,)](
            x, x.stride(0), experts.gate_up, _or(experts.gate_up_scale, x), routing.tokens,
            routing.offsets, ends, gate_up, inner,
            row_tiles, column_tiles, count,
            hidden=hidden, width=width, expert_lanes=_power_of_two(count),
            scaled=experts.gate_up_scale is not None, keep=keep, silu=activation == "silu",
            **_constants(x, tiles),
        )  # fmt: skip
    returned = product(
        inner, experts.down, experts.down_scale, routing.offsets, target=routing.order
    )
    y = _combine(returned, expert_weights, expert_ids.shape)
    return y, Kept(routing, gate_up) if keep else None


def backward(
    upstream: Tensor,
    kept: Kept,
    x: Tensor,
    experts: ExpertWeights,
    expert_weights: Tensor,
    activation: ActivationName,
    *,
    of_x: bool,
    of_weights: bool,
) -> ExpertGradients:
    """Return the gradients of ``forward``'s result; of float weights only if asked."""
    width = experts.down.shape[2]
    routing = kept.routing
    pairs = len(routing.order)
    scaled = upstream
    if experts.down_scale is not None:
        # each expert has its own scales, so the pairs no longer share rows
        chosen = experts.down_scale[routing.row_experts]
        scaled = (upstream[routing.tokens] * chosen).to(x.dtype)
    d_inner = product(
        scaled,
        experts.down,
        None,
        routing.offsets,
        source=routing.tokens if experts.down_scale is None else None,
        transposed=True,
        pairs=pairs,
    )
    inner, d_gate_up = torch.empty_like(d_inner), torch.empty_like(kept.gate_up)
    shares = torch.empty(expert_weights.shape, dtype=torch.float32, device=x.device)
    if pairs:
        gate_backward_kernel[(pairs,)](
            kept.gate_up, _or(experts.gate_up_scale, x), d_inner, expert_weights.contiguous(),
            routing.order, routing.row_experts, inner, d_gate_up, shares,
            width=width, scaled=experts.gate_up_scale is not None, silu=activation == "silu",
            column_block=min(1024, _power_of_two(width)),
        )  # fmt: skip
    d_x = None
    if of_x:
        rows = product(
            d_gate_up, experts.gate_up, None, routing.offsets, target=routing.order, transposed=True
        )
        d_x = _combine(rows, None, expert_weights.shape)
    d_weights: tuple[Tensor | None, Tensor | None] = (None, None)
    if of_weights:
        d_weights = (
            _weight_gradient(d_gate_up, None, x, routing.tokens, routing.offsets),
            _weight_gradient(upstream, routing.tokens, inner, None, routing.offsets),
        )
    return ExpertGradients(d_x, *d_weights, shares.to(expert_weights.dtype))


def linear(x: Tensor, weight: Tensor, scale: Tensor | None) -> Tensor:
    """Return ``(x @ weight.T) * scale``."""
    offsets = torch.tensor([0, len(x)], dtype=torch.int64, device=x.device)
    return product(x, weight[None], scale, offsets)


def product(
    x: Tensor,
    weight: Tensor,
    scale: Tensor | None,
    offsets: Tensor,
    *,
    source: Tensor | None = None,
    target: Tensor | None = None,
    transposed: bool = False,
    pairs: int | None = None,
) -> Tensor:
    """Multiply each row with its expert's matrix, as ``product_kernel``.

    Args:
        x: rows, or what ``source`` picks rows from.
        weight: ``[experts, outputs, inputs]``, or with ``transposed`` outputs last.
        scale: the scale of the outputs of each expert.
        offsets: first row of each expert, and their number.
        source: which row of x each row is.
        target: where each row goes.
        transposed: multiply with the matrix itself instead of its transpose.
        pairs: number of rows if there is a source.
    """
    count = len(weight)
    outputs, inputs = weight.shape[:0:-1] if transposed else weight.shape[1:]
    rows = len(x) if pairs is None else pairs
    out = x.new_empty(rows, outputs)
    if not rows:
        return out
    tiles = tiles_for(rows, count, x)
    row_tiles, ends = _row_tiles(offsets, rows, tiles.rows)
    column_tiles = -(-outputs // tiles.columns)
    step, stride = (outputs, 1) if transposed else (1, inputs)
    product_kernel[(row_tiles * column_tiles,)](
        x, x.stride(0), _or(source, x), weight, _or(scale, x), _or(target, x),
        offsets, ends, out, row_tiles, column_tiles, count,
        inputs=inputs, outputs=outputs, step=step, stride=stride,
        expert_lanes=_power_of_two(count), scaled=scale is not None,
        has_source=source is not None, has_target=target is not None, **_constants(x, tiles),
    )  # fmt: skip
    return out


def _combine(rows: Tensor, shares: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    tokens, choices = shape
    hidden = rows.shape[1]
    y = rows.new_empty(tokens, hidden)
    columns = min(1024, _power_of_two(hidden))
    if tokens:
        combine_kernel[(tokens, -(-hidden // columns))](
            rows, rows if shares is None else shares.contiguous(), y, hidden,
            has_shares=shares is not None, choices=choices, column_block=columns,
        )  # fmt: skip
    return y


def _weight_gradient(
    a: Tensor, a_source: Tensor | None, b: Tensor, b_source: Tensor | None, offsets: Tensor
) -> Tensor:
    m, n, experts = a.shape[1], b.shape[1], len(offsets) - 1
    out = a.new_empty(experts, m, n)
    size, depth = (32, 16) if interpreting() else (128, 32)
    weight_gradient_kernel[(-(-m // size), -(-n // size), experts)](
        a, a.stride(0), _or(a_source, a), b, b.stride(0), _or(b_source, b), offsets, out, m, n,
        has_a_source=a_source is not None, has_b_source=b_source is not None, wide=_wide(a),
        interpreted=interpreting(), row_block=size, column_block=size, depth_block=depth,
        num_warps=8,
    )  # fmt: skip
    return out


def _row_tiles(offsets: Tensor, rows: int, size: int) -> tuple[int, Tensor]:
    """Return how many row tiles there are at most, and where each expert's end."""
    per_expert = (offsets[1:] - offsets[:-1] + size - 1) // size
    return rows // size + min(rows, len(per_expert)), per_expert.cumsum(0).to(torch.int32)


def _constants(x: Tensor, tiles: Tiles) -> dict[str, int | bool]:
    return {
        "wide": _wide(x),
        "row_block": tiles.rows,
        "column_block": tiles.columns,
        "depth_block": tiles.depth,
        "group_rows": tiles.group,
        "num_warps": tiles.warps,
        "num_stages": tiles.stages,
    }


def _wide(x: Tensor) -> bool:
    return x.dtype == torch.float32 or interpreting()


def _or(tensor: Tensor | None, stand_in: Tensor) -> Tensor:
    """Return a pointer for an argument that the kernel does not read."""
    return stand_in if tensor is None else tensor


def _power_of_two(size: int) -> int:
    return max(2, 1 << (size - 1).bit_length())
