"""Rounding of rows to int8 on a CPU: calls of the numba kernel."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.machine.threads import match_threads
from jamba_reader.ops.row_quantisation.cpu.rows import quantise
from jamba_reader.ops.row_quantisation.operands import QuantisedRows

#: what the weights' bits are viewed as, to be loaded and to be compared
_VIEWS = {
    torch.float32: (torch.float32, np.uint32),
    torch.bfloat16: (torch.int16, np.uint16),
}


def quantise_rows(
    weight: Float[Tensor, "rows columns"], *, out: QuantisedRows | None = None
) -> QuantisedRows | None:
    """Quantise one matrix; None if a weight is infinite or not a number.

    Args:
        weight: float32 or bfloat16; not changed.
        out: where to write; made if None.
    """
    if out is None:
        out = QuantisedRows(
            torch.empty(weight.shape, dtype=torch.int8, device="cpu"),
            torch.empty(len(weight), dtype=torch.float32, device="cpu"),
        )
    loaded, compared = _VIEWS[weight.dtype]
    numbers = weight.detach().contiguous().view(loaded).numpy()
    parts = match_threads()
    finite = quantise(numbers, numbers.view(compared), out.values.numpy(), out.scale.numpy(), parts)
    return out if finite else None
