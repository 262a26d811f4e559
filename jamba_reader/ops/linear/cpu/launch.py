"""Linear maps of a few rows on a CPU: hands tensors to the numba kernel by address."""

from torch import Tensor

from jamba_reader.ops.linear.cpu.few_rows import multiply_few_rows
from jamba_reader.ops.machine.operands import NO_ROWS, dense_rows, matrix_of, rows_of
from jamba_reader.ops.machine.threads import match_threads


def linear_few_rows(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, scale: Tensor | None = None
) -> Tensor:
    """Return ``(x @ weight.T) * scale + bias``, rounded once.

    Args:
        x: float32 or bfloat16 ``[tokens, input]``.
        weight: ``[output, input]`` in x's dtype, or int8.
        bias: the bias, in x's dtype; none where None.
        scale: float32, of each output; one where None.
    """
    match_threads()
    x, weight = dense_rows(x.detach()), weight.detach().contiguous()
    bias = None if bias is None else bias.detach().contiguous()
    out = x.new_empty(len(x), len(weight))
    multiply_few_rows(
        matrix_of(weight, scale),
        NO_ROWS if bias is None else rows_of(bias),
        rows_of(x),
        len(x),
        rows_of(out),
    )
    return out
