"""The selective scan on a CPU: memory for the numba kernels, and their calls."""

# ruff: noqa: N806
# A, B, C and D are the names of these matrices in the literature

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.machine.operands import new_floats
from jamba_reader.ops.machine.threads import match_threads
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.cpu.backward import (
    BACKWARD_GROUP,
    backward_scratch_bytes,
    scan_backward,
)
from jamba_reader.ops.selective_scan.cpu.forward import forward_scratch_bytes, scan_forward
from jamba_reader.ops.selective_scan.cpu.layout import (
    BLOCK,
    IntegerArray,
    operand_table,
    padded_states,
    tiles_of,
)
from jamba_reader.ops.selective_scan.cpu.step import step, step_parallel
from jamba_reader.ops.selective_scan.operands import (
    ScanGradients,
    ScanInputs,
    ScanOutput,
    contiguous_rows,
    in_rows,
)
from spider.kernels.lanes import WIDTH

PARALLEL_STEP_UPDATES = 32_768
"""State updates of one step from which on it is worth starting threads (measured)."""


def scan(
    inputs: ScanInputs, segments: Segments, *, keep_blocks: bool
) -> tuple[ScanOutput, Float[Tensor, "blocks tiles padded_states lanes"] | None]:
    """Scan forward.

    Args:
        inputs: float32 or bfloat16.
        segments: whose rows belong to which sequence.
        keep_blocks: also return the states before every block, for ``scan_gradients``.
    """
    inputs = in_rows(inputs)
    channels, states = inputs.A.shape
    y = torch.empty_like(inputs.x)
    final_state = new_floats(len(segments), channels, states)
    if segments.single_tokens and not keep_blocks:
        _step(inputs, y, final_state)
        return ScanOutput(y, final_state), None
    starts = _starts(segments)
    blocks = None
    if keep_blocks:
        block = tiles_of(channels), padded_states(states), WIDTH
        blocks = new_floats(int(starts[1, -1]), *block)
    size, scratch = _scratch(forward_scratch_bytes(states))
    scan_forward(
        _table(inputs, (y,)),
        _addresses(inputs.initial_state, final_state, blocks),
        starts,
        scratch.data_ptr(),
        size,
    )
    return ScanOutput(y, final_state), blocks


def scan_gradients(
    inputs: ScanInputs,
    segments: Segments,
    blocks: Float[Tensor, "blocks tiles padded_states lanes"],
    dy: Float[Tensor, "tokens channels"],
    dfinal: Float[Tensor, "sequences channels states"] | None,
) -> ScanGradients:
    """Scan backward; the same sums in the same order on any number of threads.

    Args:
        inputs: as given to ``scan``.
        segments: as given to ``scan``.
        blocks: what ``scan`` returned for them.
        dy: gradient of the outputs.
        dfinal: gradient of the final states; zero where None.
    """
    inputs, dy = in_rows(inputs), contiguous_rows(dy)
    dfinal = None if dfinal is None else dfinal.float().contiguous()
    channels, states = inputs.A.shape
    dx, ddt = (torch.empty(t.shape, dtype=t.dtype, device="cpu") for t in (inputs.x, inputs.dt))
    dgate = None
    if inputs.gate is not None:
        dgate = torch.empty(inputs.x.shape, dtype=inputs.gate.dtype, device="cpu")
    groups = -(-channels // BACKWARD_GROUP)
    dB, dC = new_floats(2, groups, segments.total, states)
    dinitial, dA = new_floats(2, len(segments), channels, states)
    dD, dbias = new_floats(2, len(segments), channels)
    size, scratch = _scratch(backward_scratch_bytes(states))
    scan_backward(
        _table(inputs, (dy, dx, ddt, dgate)),
        _addresses(blocks, dfinal, dinitial, dA, dD, dbias, dB, dC),
        _starts(segments),
        scratch.data_ptr(),
        size,
    )
    sums = dA.sum(0), dB.sum(0), dC.sum(0), dD.sum(0), dbias.sum(0)
    return ScanGradients(dx, ddt, *sums, dgate, dinitial)


def _step(
    inputs: ScanInputs,
    y: Float[Tensor, "sequences channels"],
    final_state: Float[Tensor, "sequences channels states"],
) -> None:
    """Advance every sequence by one token."""
    sequences = len(final_state)
    table = _table(inputs, (y,))
    initial = 0 if inputs.initial_state is None else inputs.initial_state.data_ptr()
    if final_state.numel() < PARALLEL_STEP_UPDATES:
        step(table, sequences, initial, final_state.data_ptr())
    else:
        match_threads()
        step_parallel(table, sequences, initial, final_state.data_ptr())


def _table(inputs: ScanInputs, outputs: tuple[Tensor | None, ...]) -> IntegerArray:
    x, dt, A, B, C, D, dt_bias, gate, _ = inputs
    return operand_table(A, (x, dt, B, C, D, dt_bias, gate, *outputs))


def _addresses(*tensors: Tensor | None) -> tuple[int, ...]:
    return tuple(0 if tensor is None else tensor.data_ptr() for tensor in tensors)


def _starts(segments: Segments) -> IntegerArray:
    """First token and first block of every sequence, and their numbers."""
    lengths = np.array(segments.lengths, dtype=np.int64)
    starts = np.zeros((2, len(lengths) + 1), dtype=np.int64)
    counts = lengths, -(-lengths // BLOCK)
    starts[:, 1:] = np.cumsum(counts, axis=1)
    return starts


def _scratch(size: int) -> tuple[int, Tensor]:
    """Return the size of one thread's working memory and the memory of all."""
    return size, torch.empty(match_threads() * size, dtype=torch.uint8, device="cpu")
