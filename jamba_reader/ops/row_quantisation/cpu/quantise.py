"""ExpertsInt8's rounding in numba: two passes over a row that stays in the cache.

The same numbers as :func:`jamba_reader.ops.row_quantisation.format.quantise_rows`, which is the
reference, some times faster: a checkpoint of 50 billion weights is quantised while it is read.
"""

from typing import no_type_check

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from jamba_reader.ops.machine.scalar_math import load
from jamba_reader.ops.row_quantisation.format import LARGEST, QuantisedRows, quantise_rows
from spider.compilation import njit

MANY = 1 << 16
"""Weights below which compiling, and starting threads, cost more than they save."""

#: what the weights' bits are viewed as, to be loaded and to be compared
_VIEWS = {
    torch.float32: (torch.float32, np.uint32),
    torch.bfloat16: (torch.int16, np.uint16),
}
_TINY = np.float32(torch.finfo(torch.float32).tiny)
# added and taken away again, it rounds to the nearest integer, to even where two are as near
_ROUNDER = np.float32(1.5 * 2**23)


def quantise_rows_fast(
    weight: Float[Tensor, "rows columns"], *, out: QuantisedRows | None = None
) -> QuantisedRows:
    """Quantise one matrix: in numba where it is large and on a CPU, else by the reference.

    Args:
        weight: of any floating dtype and device; not changed.
        out: where to write; made if None.

    Raises:
        CheckpointError: a weight is infinite or not a number.
    """
    views = _VIEWS.get(weight.dtype)
    on_cpu = weight.device.type == "cpu" and (out is None or out.values.device.type == "cpu")
    if views is None or not on_cpu or weight.numel() < MANY:
        return quantise_rows(weight, out=out)
    if out is None:
        out = QuantisedRows(
            torch.empty(weight.shape, dtype=torch.int8),
            torch.empty(len(weight), dtype=torch.float32),
        )
    numbers = weight.detach().contiguous().view(views[0]).numpy()
    parts = torch.get_num_threads()
    if not _quantise(numbers, numbers.view(views[1]), out.values.numpy(), out.scale.numpy(), parts):
        # the reference says where
        return quantise_rows(weight, out=out)
    return out


@njit(parallel=True, error_model="numpy")
@no_type_check
def _quantise(numbers, bits, values, scale, parts):
    rows, columns = numbers.shape
    finite = np.ones(parts, dtype=np.bool_)
    for part in prange(parts):
        for row in range(part * rows // parts, (part + 1) * rows // parts):
            largest = _largest_magnitude(bits, row)
            if not np.isfinite(largest):
                finite[part] = False
            step = largest / np.float32(LARGEST)
            if step < _TINY:
                step = np.float32(1)
            scale[row] = step
            for column in range(columns):
                number = load(numbers, row, column) / step
                number = (number + _ROUNDER) - _ROUNDER
                number = min(max(number, np.float32(-LARGEST)), np.float32(LARGEST))
                values[row, column] = np.int8(number)
    return finite.all()


@njit
@no_type_check
def _largest_magnitude(bits, row):
    """Without their sign, floats are ordered as their bits are; infinities and NaN come last."""
    sign = bits.dtype.type(1 << (8 * bits.itemsize - 1))
    top = bits.dtype.type(0)
    for column in range(bits.shape[1]):
        top = max(top, bits[row, column] & ~sign)
    # bfloat16 is the upper half of a float32
    wide = np.array([np.uint32(top) << np.uint32(32 - 8 * bits.itemsize)], dtype=np.uint32)
    return wide.view(np.float32)[0]
