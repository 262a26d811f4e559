"""Inputs and outputs of the selective scan, and their checks."""

# ruff: noqa: N806
# A, B, C and D are the names of these matrices in the literature

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.operand_checks import check_floats
from spider.errors import DataError

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
"""Dtypes that kernels read and write."""


class ScanInputs(NamedTuple):
    """The tensors of a scan.

    Args:
        x: inputs of the scan, sequence after sequence.
        dt: step sizes before bias and softplus.
        A: rates of decay, negative.
        B: how each token writes to the states.
        C: how each token reads the states.
        D: weight of the skip connection.
        dt_bias: added to ``dt``.
        gate: multiplies the output through SiLU.
        initial_state: the state of each sequence before its first token; zeros where None.
    """

    x: Float[Tensor, "tokens channels"]
    dt: Float[Tensor, "tokens channels"]
    A: Float[Tensor, "channels states"]
    B: Float[Tensor, "tokens states"]
    C: Float[Tensor, "tokens states"]
    D: Float[Tensor, " channels"]
    dt_bias: Float[Tensor, " channels"]
    gate: Float[Tensor, "tokens channels"] | None
    initial_state: Float[Tensor, "sequences channels states"] | None


class ScanOutput(NamedTuple):
    """The results of a scan.

    Args:
        y: the outputs, in ``x``'s dtype.
        final_state: the state after each sequence's last token; of an empty sequence, its initial
            state.
    """

    y: Float[Tensor, "tokens channels"]
    final_state: Float[Tensor, "sequences channels states"]


class ScanGradients(NamedTuple):
    """Gradients of a scan's inputs, in ``ScanInputs``'s order."""

    x: Float[Tensor, "tokens channels"]
    dt: Float[Tensor, "tokens channels"]
    A: Float[Tensor, "channels states"]
    B: Float[Tensor, "tokens states"]
    C: Float[Tensor, "tokens states"]
    D: Float[Tensor, " channels"]
    dt_bias: Float[Tensor, " channels"]
    gate: Float[Tensor, "tokens channels"] | None
    initial_state: Float[Tensor, "sequences channels states"]


def check_inputs(inputs: ScanInputs, tokens: int, sequences: int) -> None:
    """Refuse dtypes and shapes that do not fit: kernels read by address.

    Raises:
        DataError: a tensor's shape disagrees with A's or with the segments, or a dtype or device
            is wrong.
    """
    check_floats("selective_scan", **inputs._asdict())
    channels, states = inputs.A.shape
    wide, narrow, flat = (tokens, channels), (tokens, states), (channels,)
    x, dt, _, B, C, D, dt_bias, gate, initial_state = inputs
    if (
        x.shape == wide
        and dt.shape == wide
        and B.shape == narrow
        and C.shape == narrow
        and D.shape == flat
        and dt_bias.shape == flat
        and (gate is None or gate.shape == wide)
        and (initial_state is None or initial_state.shape == (sequences, channels, states))
    ):
        return
    expected = (wide, wide, (channels, states), narrow, narrow, flat, flat, wide)
    for name, tensor, shape in zip(
        ScanInputs._fields, inputs, (*expected, (sequences, channels, states)), strict=True
    ):
        if tensor is not None and tensor.shape != shape:
            raise DataError(
                f"selective_scan: {name} has shape {tuple(tensor.shape)}, expected {shape} for "
                f"{tokens} tokens of {sequences} sequences"
            )


def in_rows(inputs: ScanInputs) -> ScanInputs:
    """Copy the operands that kernels cannot read in place; usually none.

    They read rows that are contiguous, wherever each begins, and A, D, dt_bias and states whole;
    A and states in float32, the rest in any dtype of ``DTYPES``, here brought to float32 if not.
    """
    x, dt, A, B, C, D, dt_bias, gate, initial_state = inputs
    return ScanInputs(
        contiguous_rows(x),
        contiguous_rows(dt),
        _plain(A),
        contiguous_rows(B),
        contiguous_rows(C),
        contiguous_rows(D),
        contiguous_rows(dt_bias),
        None if gate is None else contiguous_rows(gate),
        None if initial_state is None else _plain(initial_state),
    )


def contiguous_rows(matrix: Tensor) -> Tensor:
    """Return a tensor that kernels can read row by row, itself where it is one."""
    if matrix.dtype not in DTYPES:
        matrix = matrix.float()
    return matrix if matrix.stride(-1) == 1 else matrix.contiguous()


def _plain(tensor: Tensor) -> Tensor:
    return tensor.float().contiguous()
