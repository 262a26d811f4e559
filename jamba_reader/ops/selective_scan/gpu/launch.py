"""The selective scan on a GPU: memory for the Triton kernels, and their calls."""

# ruff: noqa: N803, N806

import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.gpu import backward as backward_kernels
from jamba_reader.ops.selective_scan.gpu import forward as kernels
from jamba_reader.ops.selective_scan.gpu.chunks import KEEP, Plan, plan
from jamba_reader.ops.selective_scan.operands import (
    ScanGradients,
    ScanInputs,
    ScanOutput,
    contiguous_rows,
    in_rows,
)


def scan(
    inputs: ScanInputs, segments: Segments, *, keep_blocks: bool
) -> tuple[ScanOutput, Float[Tensor, "kept states channels"] | None]:
    """Scan forward.

    Args:
        inputs: the tensors, on one device.
        segments: whose rows belong to which sequence.
        keep_blocks: also return the states before every tile, for ``scan_gradients``.
    """
    inputs = in_rows(inputs)
    x, dt, A, B, C, D, dt_bias, gate, initial = inputs
    channels, states = A.shape
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    final_state = torch.empty((len(segments), *A.shape), dtype=torch.float32, device=x.device)
    sizes = _sizes(channels, states)
    blocks = -(-channels // sizes["BLOCK_D"])
    cut = plan(segments, blocks, x.device)
    kept = None
    if keep_blocks:
        kept = torch.empty((cut.kept, states, channels), dtype=torch.float32, device=x.device)
    ends = sums = final_state

    def launch(source: int, target: int, *, output: bool) -> None:
        opened = x if gate is None else gate
        kernels.scan_kernel[(cut.chunks, blocks)](
            *(x, dt, A, B, C, D, dt_bias, opened, y),
            *(t.stride(0) for t in (x, dt, B, C, opened, y)),
            *(cut.table, ends, final_state if initial is None else initial, ends, sums),
            *(final_state, final_state if kept is None else kept, channels, states),
            OUTPUT=output,
            GATED=gate is not None,
            FROM=source,
            TO=target,
            KEEP=KEEP if output and keep_blocks else 0,
            **sizes,
        )

    if segments.single_tokens and cut.chunks:
        launch(0 if initial is None else 1, 1, output=True)
    elif cut.whole and cut.chunks:
        ends = torch.empty((cut.chunks, states, channels), dtype=torch.float32, device=x.device)
        if initial is not None:
            ends.copy_(initial.transpose(1, 2))
        launch(0 if initial is None else 2, 2, output=True)
        final_state = ends.transpose(1, 2).contiguous()
    elif cut.chunks:
        ends = torch.empty((cut.chunks, states, channels), dtype=torch.float32, device=x.device)
        sums = torch.empty((cut.chunks, channels), dtype=torch.float32, device=x.device)
        launch(0, 2, output=False)
        _carry(A, cut, ends, sums, initial, final_state, reverse=False)
        launch(2, 0, output=True)
    return ScanOutput(y, final_state), kept


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
    cut = plan(segments, side, x.device)
    carries, dinitial = _gradients_at_chunk_ends(inputs, cut, dy, dfinal, len(segments))
    dx, ddt = (torch.empty(x.shape, dtype=t.dtype, device=x.device) for t in (x, dt))
    dgate = None if gate is None else torch.empty(x.shape, dtype=gate.dtype, device=x.device)
    dB, dC = torch.empty((2, side, segments.total, states), dtype=torch.float32, device=x.device)
    rates = torch.zeros_like(carries)
    skips, biases = torch.empty((2, cut.chunks, channels), dtype=torch.float32, device=x.device)
    opened = x if gate is None else gate
    if cut.chunks:
        backward_kernels.reverse_kernel[(cut.chunks, side)](
            *(x, dt, A, B, C, D, dt_bias, opened, dy, dx, ddt, dx if dgate is None else dgate),
            *(t.stride(0) for t in (x, dt, B, C, opened, dy, dx)),
            *(cut.table, blocks, carries, rates, skips, biases, dB, dC),
            segments.total,
            channels,
            STATES=states,
            GATED=gate is not None,
            BLOCK_T=KEEP,
            BLOCK_D=sizes["BLOCK_D"],
            # half a tile's tokens to a thread: all of them do not fit its registers
            num_warps=2 * sizes["num_warps"],
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
            return torch.zeros(
                (cut.chunks, states, channels), dtype=torch.float32, device=x.device
            ), None
        return dfinal.float().transpose(1, 2).contiguous(), None
    ends = torch.empty((cut.chunks, states, channels), dtype=torch.float32, device=x.device)
    sums = torch.empty((cut.chunks, channels), dtype=torch.float32, device=x.device)
    dinitial = torch.empty((sequences, channels, states), dtype=torch.float32, device=x.device)
    sizes = _sizes(channels, states)
    opened = x if gate is None else gate
    backward_kernels.reverse_ends_kernel[(cut.chunks, -(-channels // sizes["BLOCK_D"]))](
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
