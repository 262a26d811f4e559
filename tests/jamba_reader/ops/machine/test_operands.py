"""Tensors as kernels take them: addresses, strides and kinds."""

import pytest
import torch

from jamba_reader.ops.machine.memory import AS_BFLOAT16, AS_FLOAT32
from jamba_reader.ops.machine.operands import (
    KINDS,
    NO_ROWS,
    address_of,
    dense_rows,
    element_of,
    matrix_of,
    rows_of,
)
from jamba_reader.ops.machine.rows import BFLOAT16, FLOAT32, INT8, bytes_of


def test_no_tensor_has_the_address_zero() -> None:
    assert address_of(None) == 0
    assert NO_ROWS.address == 0
    tensor = torch.zeros(4)
    assert address_of(tensor) == tensor.data_ptr()
    assert address_of(tensor[1:]) == tensor.data_ptr() + 4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8])
def test_rows_are_found_by_address_and_stride(dtype: torch.dtype) -> None:
    wide = torch.zeros(3, 10, dtype=dtype)
    rows = rows_of(wide[1:, 2:7])
    assert rows.address == wide.data_ptr() + 12 * wide.itemsize
    assert rows.stride == 10
    assert rows.kind == KINDS[dtype]
    assert bytes_of.py_func(rows.kind) == wide.itemsize


def test_rows_that_are_contiguous_are_not_copied() -> None:
    wide = torch.randn(4, 9)
    view = wide[:, 2:6]
    assert dense_rows(view).data_ptr() == view.data_ptr()
    columns = wide.t()
    copied = dense_rows(columns)
    assert copied.data_ptr() != columns.data_ptr()
    assert copied.stride(-1) == 1
    assert torch.equal(copied, columns)


def test_a_matrix_has_scales_or_none() -> None:
    weight, scale = torch.zeros(5, 7, dtype=torch.int8), torch.ones(5)
    matrix = matrix_of(weight, scale)
    assert matrix == (weight.data_ptr(), 5, 7, INT8, scale.data_ptr())
    assert matrix_of(torch.zeros(2, 3)).scale == 0


def test_kinds_and_elements() -> None:
    assert (KINDS[torch.float32], KINDS[torch.bfloat16], KINDS[torch.int8]) == (
        FLOAT32,
        BFLOAT16,
        INT8,
    )
    assert element_of(torch.float32) is AS_FLOAT32
    assert element_of(torch.bfloat16) is AS_BFLOAT16
    with pytest.raises(KeyError):
        element_of(torch.float16)
