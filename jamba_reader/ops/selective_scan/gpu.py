"""The selective scan on a GPU: memory for the Triton kernels, and their calls."""

# ruff: noqa: N803, N806

from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from jamba_reader.ops.selective_scan import triton_kernel as kernels
from jamba_reader.ops.selective_scan.operands import (
    ScanGradients,
    ScanInputs,
    ScanOutput,
    contiguous_rows,
    in_rows,
)
from jamba_reader.segments import Segments

KEEP = 16
"""Tokens between two states kept for the backward pass: the height of its tiles."""

FULL = 4096
"""Programs that fill a GPU; a scan of fewer is cut into chunks of time."""

SHORTEST = 64
"""Tokens of the shortest chunk; chunks are multiples of it, and it of KEEP."""


class Plan(NamedTuple):
    """How sequences are cut into chunks.

    Args:
        table: see ``triton_kernel``.
        first_chunks: of each sequence, and the number of chunks.
        chunks: how many.
        kept: states kept for the backward pass.
        whole: every chunk is a whole sequence.
    """

    table: Int64[Tensor, "chunks columns"]
    first_chunks: Int64[Tensor, " boundaries"]
    chunks: int
    kept: int
    whole: bool


_plans: WeakKeyDictionary[Segments, dict[tuple[object, ...], Plan]] = WeakKeyDictionary()


def plan(segments: Segments, blocks: int, snapshot_every: int | None, device: torch.device) -> Plan:
    """Cut sequences into chunks, once for all layers of a model.

    Args:
        segments: the sequences.
        blocks: programs side by side in every chunk.
        snapshot_every: tokens between two snapshots of the state.
        device: where the table is wanted.
    """
    longest = max(segments.lengths, default=0)
    whole = 4 * len(segments) * blocks >= FULL or longest <= 2 * SHORTEST
    pieces = -(-segments.total * blocks // (FULL * SHORTEST))
    size = max(longest, 1) if whole else max(pieces, 1) * SHORTEST
    key = size, snapshot_every, device
    known = _plans.setdefault(segments, {})
    if key not in known:
        table, first_chunks = _table(segments, size, snapshot_every)
        last = table[-1] if len(table) else torch.zeros(kernels.TABLE_COLUMNS, dtype=torch.int64)
        kept = int(last[4] - (-last[1] // KEEP))
        known[key] = Plan(table.to(device), first_chunks.to(device), len(table), kept, whole)
    return known[key]


def _table(
    segments: Segments, size: int, snapshot_every: int | None
) -> tuple[Int64[Tensor, "chunks columns"], Int64[Tensor, " boundaries"]]:
    """One row per chunk; an empty sequence has one, so that its state passes through."""
    lengths = torch.tensor(segments.lengths, dtype=torch.int64)
    counts = (lengths + size - 1).div(size, rounding_mode="floor").clamp(min=1)
    first_chunks = _starts(counts)
    sequence = torch.repeat_interleave(torch.arange(len(lengths)), counts)
    position = (torch.arange(len(sequence)) - first_chunks[sequence]) * size
    tokens = (lengths[sequence] - position).clamp(max=size)
    first = torch.tensor(segments.starts, dtype=torch.int64)[sequence] + position
    kept = _starts((tokens + KEEP - 1).div(KEEP, rounding_mode="floor"))[:-1]
    shots = lengths.div(snapshot_every or 2**62, rounding_mode="floor")
    snapshot = _starts(shots)[sequence]
    return torch.stack((first, tokens, sequence, position, kept, snapshot), dim=1), first_chunks


def _starts(counts: Int64[Tensor, " parts"]) -> Int64[Tensor, " boundaries"]:
    return torch.cat((counts.new_zeros(1), counts.cumsum(0)))


def scan(
    inputs: ScanInputs, segments: Segments, snapshot_every: int | None, *, keep_blocks: bool
) -> tuple[ScanOutput, Float[Tensor, "kept states channels"] | None]:
    """Scan forward.

    Args:
        inputs: on one device.
        segments: whose rows belong to which sequence.
        snapshot_every: tokens between two snapshots of the state.
        keep_blocks: also return the states before every tile, for ``scan_gradients``.
    """
    inputs = in_rows(inputs)
    x, dt, A, B, C, D, dt_bias, gate, initial = inputs
    channels, states = A.shape
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    final_state = torch.empty((len(segments), *A.shape), device=x.device)
    sizes = _sizes(channels, states)
    blocks = -(-channels // sizes["BLOCK_D"])
    cut = plan(segments, blocks, snapshot_every, x.device)
    kept = snapshots = starts = sums = None
    if keep_blocks:
        kept = torch.empty((cut.kept, states, channels), device=x.device)
    if snapshot_every is not None:
        shots = sum(length // snapshot_every for length in segments.lengths)
        snapshots = torch.empty((shots, *A.shape), device=x.device)

    def launch(source: int, *, output: bool) -> None:
        absent = final_state
        kernels.scan_kernel[(cut.chunks, blocks)](
            *(x, dt, A, B, C, D, dt_bias, x if gate is None else gate, y),
            *(t.stride(0) for t in (x, dt, B, C, x if gate is None else gate, y)),
            cut.table,
            *(absent if t is None else t for t in (starts, initial, starts, sums, final_state)),
            absent if kept is None else kept,
            absent if snapshots is None else snapshots,
            snapshot_every or 1,
            channels,
            states,
            OUTPUT=output,
            GATED=gate is not None,
            FROM=source,
            KEEP=KEEP if output and keep_blocks else 0,
            SNAPSHOTS=output and snapshots is not None,
            **sizes,
        )

    if cut.chunks and cut.whole:
        launch(0 if initial is None else 1, output=True)
    elif cut.chunks:
        starts = torch.empty((cut.chunks, states, channels), device=x.device)
        sums = torch.empty((cut.chunks, channels), device=x.device)
        launch(0, output=False)
        _carry(A, cut, starts, sums, initial, final_state, reverse=False)
        launch(2, output=True)
    return ScanOutput(y, final_state, snapshots), kept


def scan_gradients(
    inputs: ScanInputs,
    segments: Segments,
    blocks: Float[Tensor, "kept states channels"],
    dy: Float[Tensor, "tokens channels"],
    dfinal: Float[Tensor, "sequences channels states"] | None,
) -> ScanGradients:
    """Scan backward; no atomic additions, so the same sums every time.

    Args:
        inputs: as given to ``scan``.
        segments: as given to ``scan``.
        blocks: what ``scan`` returned for them.
        dy: gradient of the outputs.
        dfinal: gradient of the final states; zero where None.
    """
    inputs, dy = in_rows(inputs), contiguous_rows(dy)
    x, dt, A, B, C, D, dt_bias, gate, _ = inputs
    channels, states = A.shape
    sizes = _sizes(channels, states)
    side = -(-channels // sizes["BLOCK_D"])
    cut = plan(segments, side, None, x.device)
    carries, dinitial = _gradients_at_chunk_ends(inputs, cut, dy, dfinal, len(segments))
    dx, ddt = (torch.empty(x.shape, dtype=t.dtype, device=x.device) for t in (x, dt))
    dgate = None if gate is None else torch.empty(x.shape, dtype=gate.dtype, device=x.device)
    dB, dC = torch.empty((2, side, segments.total, states), device=x.device)
    rates = torch.zeros_like(carries)
    skips, biases = torch.empty((2, cut.chunks, channels), device=x.device)
    opened = x if gate is None else gate
    if cut.chunks:
        kernels.reverse_kernel[(cut.chunks, side)](
            *(x, dt, A, B, C, D, dt_bias, opened, dy, dx, ddt, dx if dgate is None else dgate),
            *(t.stride(0) for t in (x, dt, B, C, opened, dy, dx)),
            *(cut.table, blocks, carries, rates, skips, biases, dB, dC),
            segments.total,
            channels,
            STATES=states,
            GATED=gate is not None,
            BLOCK_T=KEEP,
            BLOCK_D=sizes["BLOCK_D"],
            num_warps=sizes["num_warps"],
        )
    if dinitial is None:
        dinitial = carries.transpose(1, 2).contiguous()
    sums = rates.sum(0).T, dB.sum(0), dC.sum(0), skips.sum(0), biases.sum(0)
    return ScanGradients(dx, ddt, *sums, dgate, dinitial)


def _gradients_at_chunk_ends(
    inputs: ScanInputs,
    cut: Plan,
    dy: Float[Tensor, "tokens channels"],
    dfinal: Float[Tensor, "sequences channels states"] | None,
    sequences: int,
) -> tuple[
    Float[Tensor, "chunks states channels"], Float[Tensor, "sequences channels states"] | None
]:
    """What reaches each chunk's last state, and, if chunks are not whole sequences, the first."""
    x, dt, A, _, C, _, dt_bias, gate, _ = inputs
    channels, states = A.shape
    if cut.whole:
        if dfinal is None:
            return torch.zeros((cut.chunks, states, channels), device=x.device), None
        return dfinal.float().transpose(1, 2).contiguous(), None
    ends = torch.empty((cut.chunks, states, channels), device=x.device)
    sums = torch.empty((cut.chunks, channels), device=x.device)
    dinitial = torch.empty((sequences, channels, states), device=x.device)
    sizes = _sizes(channels, states)
    opened = x if gate is None else gate
    kernels.reverse_ends_kernel[(cut.chunks, -(-channels // sizes["BLOCK_D"]))](
        *(dt, A, C, dt_bias, opened, dy),
        *(t.stride(0) for t in (dt, C, opened, dy)),
        *(cut.table, ends, sums),
        channels,
        states,
        GATED=gate is not None,
        **sizes,
    )
    entering = None if dfinal is None else dfinal.float().contiguous()
    _carry(A, cut, ends, sums, entering, dinitial, reverse=True)
    return ends, dinitial


def _carry(
    A: Float[Tensor, "channels states"],
    cut: Plan,
    ends: Float[Tensor, "chunks states channels"],
    sums: Float[Tensor, "chunks channels"],
    entering: Float[Tensor, "sequences channels states"] | None,
    leaving: Float[Tensor, "sequences channels states"],
    *,
    reverse: bool,
) -> None:
    """Carry states over all chunks of each sequence: what a chunk adds becomes what reaches it."""
    channels, states = A.shape
    sizes = _sizes(channels, states)
    kernels.carry_kernel[(len(leaving), -(-channels // sizes["BLOCK_D"]))](
        *(A, ends, sums, cut.first_chunks, leaving if entering is None else entering, leaving),
        channels,
        states,
        ENTERS=entering is not None,
        REVERSE=reverse,
        **sizes,
    )


def _sizes(channels: int, states: int) -> dict[str, int]:
    """Tile sizes: 32 channels per warp, so that a thread holds all states of its channel."""
    block = min(128, max(16, 1 << (channels - 1).bit_length()))
    return {
        "BLOCK_D": block,
        "BLOCK_N": 1 << (states - 1).bit_length(),
        "num_warps": max(1, block // 32),
    }
