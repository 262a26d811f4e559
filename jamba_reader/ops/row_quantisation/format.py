"""ExpertsInt8: feed-forward weights as int8 with one scale per output row.

Weight-only and symmetric, computed while loading, no calibration (Jamba-1.5, arXiv:2408.12570,
section 3.1): ``s = max|W| / 127`` over a row, ``q = clamp(round(W / s), -127, 127)``, so that
``|W - q*s| <= s/2``. All of it in float32, whatever dtype the weights come in: scales rounded to
bfloat16 would add half as much error again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Float32, Int8
from torch import Tensor

from spider.errors import CheckpointError

METHOD = "experts_int8"
LARGEST = 127
_BLOCK = 1 << 22
"""Weights widened to float32 at a time: what quantising adds to the memory, 16 MiB a copy."""


@dataclass(frozen=True, kw_only=True)
class ExpertsInt8:
    """Which feed-forward parts are int8: the experts always, the dense ones if asked.

    Attributes:
        dense: whether the feed-forward parts of layers without experts are int8 too.
    """

    dense: bool = False

    def to_mapping(self) -> dict[str, Any]:
        """Return what ``config.json`` holds under ``quantization_config``."""
        return {"quant_method": METHOD, "dense": self.dense}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "ExpertsInt8":
        """Read ``quantization_config`` of a ``config.json``.

        Raises:
            CheckpointError: it describes another quantisation, or ``dense`` is no boolean.
        """
        method, dense = values.get("quant_method"), values.get("dense", False)
        if method != METHOD:
            raise CheckpointError(
                f"quantization_config.quant_method is {method!r}, expected {METHOD!r}: load the "
                "unquantised checkpoint and quantise it with spider quantize-reader"
            )
        if not isinstance(dense, bool):
            raise CheckpointError(f"quantization_config.dense is {dense!r}, expected true or false")
        return cls(dense=dense)


class QuantisedRows(NamedTuple):
    """A matrix as integers and a scale per row: ``values * scale[:, None]``."""

    values: Tensor
    scale: Tensor


def quantise_rows(
    weight: Float[Tensor, "rows columns"], *, out: QuantisedRows | None = None
) -> QuantisedRows:
    """Quantise one matrix, such as one expert's, row by row.

    Rows of zeros (or so small that their scale has no normal float32) become zeros with scale 1.

    Args:
        weight: of any floating dtype and device; not changed.
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
