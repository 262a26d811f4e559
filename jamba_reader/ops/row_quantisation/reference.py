"""Rounding of rows to int8 in torch, and back."""

import torch
from jaxtyping import Float, Float32, Int8
from torch import Tensor

from jamba_reader.ops.row_quantisation.operands import LARGEST, QuantisedRows
from spider.errors import CheckpointError

_BLOCK = 1 << 22
"""Weights widened to float32 at a time: what quantising adds to the memory, 16 MiB a copy."""


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
    """
    rows, columns = weight.shape
    if out is None:
        out = QuantisedRows(
            torch.empty(rows, columns, dtype=torch.int8, device=weight.device),
            torch.empty(rows, dtype=torch.float32, device=weight.device),
        )
    block = max(1, _BLOCK // max(1, columns))
    for start in range(0, rows if columns else 0, block):
        part = slice(start, start + block)
        wide = weight[part].detach().to(torch.float32, copy=True)
        largest = wide.abs().amax(dim=1)
        if not bool(largest.isfinite().all()):
            raise CheckpointError(
                f"rows {start} to {min(rows, start + block) - 1} of a {rows} x {columns} matrix: "
                "a weight is infinite or not a number, expected finite weights; fetch the "
                "checkpoint again"
            )
        scale = largest / LARGEST
        empty = scale < torch.finfo(torch.float32).tiny
        scale.masked_fill_(empty, 1.0)
        wide.div_(scale[:, None]).round_().clamp_(-LARGEST, LARGEST)
        out.values[part].copy_(wide)
        out.scale[part].copy_(scale)
    if not columns:
        out.scale.fill_(1.0)
    return out


def dequantise_rows(
    values: Int8[Tensor, "*experts rows columns"],
    scale: Float32[Tensor, "*experts rows"],
    *,
    dtype: torch.dtype = torch.float32,
) -> Float[Tensor, "*experts rows columns"]:
    """Return ``values * scale`` per row, computed in float32 and rounded to ``dtype``."""
    return (values.to(torch.float32) * scale[..., None]).to(dtype)
