"""Rounding of weight rows to int8: by numba for a large matrix on a CPU, else by torch.

Both round alike, bit for bit. numba reads a row twice while it stays in the cache, and is several
times faster: a checkpoint of 50 billion weights is quantised while it is read.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.operand_checks import check_dtype, check_floats
from jamba_reader.ops.row_quantisation import reference
from jamba_reader.ops.row_quantisation.operands import QuantisedRows

MANY = 1 << 16
"""Weights below which compiling, and starting threads, cost more than they save."""

_COMPILED = (torch.float32, torch.bfloat16)


def quantise_rows(
    weight: Float[Tensor, "rows columns"], *, out: QuantisedRows | None = None
) -> QuantisedRows:
    """Quantise one matrix, such as one expert's, row by row.

    Rows of zeros (or so small that their scale has no normal float32) become zeros with scale 1.

    Args:
        weight: the weights of any floating dtype and device; not changed.
        out: where to write, int8 of weight's shape and float32 of its rows, for example an
            expert's part of a whole layer's tensors; made if None, on weight's device.

    Raises:
        CheckpointError: a weight is infinite or not a number.
        DataError: a wrong dtype.
    """
    check_floats("quantise_rows", weight=weight)
    if out is not None:
        check_dtype("quantise_rows", "values", out.values, torch.int8, device=out.values.device)
        check_dtype("quantise_rows", "scale", out.scale, torch.float32, device=out.values.device)
    on_cpu = weight.device.type == "cpu" and (out is None or out.values.device.type == "cpu")
    if weight.dtype not in _COMPILED or not on_cpu or weight.numel() < MANY:
        return reference.quantise_rows(weight, out=out)
    from jamba_reader.ops.row_quantisation.cpu import launch

    found = launch.quantise_rows(weight, out=out)
    # the reference's message names the rows
    return reference.quantise_rows(weight, out=out) if found is None else found
