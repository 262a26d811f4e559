"""Addresses, strides and kinds of tensors for numba kernels. The caller keeps the tensors alive."""

from typing import Any

import torch
from torch import Tensor

from jamba_reader.ops.machine.memory import AS_BFLOAT16, AS_FLOAT32
from jamba_reader.ops.machine.rows import BFLOAT16, FLOAT32, INT8, Matrix, Rows

KINDS = {torch.float32: FLOAT32, torch.bfloat16: BFLOAT16, torch.int8: INT8}
_ELEMENTS: dict[torch.dtype, Any] = {torch.float32: AS_FLOAT32, torch.bfloat16: AS_BFLOAT16}

NO_ROWS = Rows(0, 0, FLOAT32)


def address_of(tensor: Tensor | None) -> int:
    """Return where a tensor's numbers begin; 0 for none."""
    return 0 if tensor is None else tensor.data_ptr()


def new_floats(*shape: int) -> Tensor:
    """Return uninitialised float32 in CPU memory, whatever PyTorch's default dtype and device."""
    return torch.empty(shape, dtype=torch.float32, device="cpu")


def dense_rows(tensor: Tensor) -> Tensor:
    """Return a matrix whose rows are contiguous: itself, if they are."""
    return tensor if tensor.stride(-1) == 1 else tensor.contiguous()


def rows_of(tensor: Tensor) -> Rows:
    """Return a matrix whose rows are contiguous, or a vector."""
    return Rows(tensor.data_ptr(), tensor.stride(0), KINDS[tensor.dtype])


def matrix_of(weight: Tensor, scale: Tensor | None = None) -> Matrix:
    """Return a contiguous weight and the scales of its rows."""
    rows, columns = weight.shape
    return Matrix(weight.data_ptr(), rows, columns, KINDS[weight.dtype], address_of(scale))


def element_of(dtype: torch.dtype) -> Any:
    """Return the element (see ``memory``) of float32 or bfloat16."""
    return _ELEMENTS[dtype]
