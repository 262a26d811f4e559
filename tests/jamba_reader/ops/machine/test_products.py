"""Inner products of rows, also as a processor without bfloat16 products computes them."""

from typing import no_type_check

import numpy as np
import pytest
import torch
from numba import njit

from jamba_reader.ops.machine import products
from spider.kernels.processor import has_feature

KINDS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "pairs": torch.bfloat16}


@pytest.mark.parametrize("outputs", [4, 8])
@pytest.mark.parametrize("inputs", [1, 2, 4])
@pytest.mark.parametrize(
    ("weights", "values"),
    [
        ("float32", "float32"),
        ("bfloat16", "bfloat16"),
        ("int8", "float32"),
        ("int8", "bfloat16"),
        pytest.param(
            "pairs",
            "pairs",
            marks=pytest.mark.skipif(not has_feature("avx512bf16"), reason="no AVX512-BF16"),
        ),
    ],
)
def test_sums_of_rows(weights: str, values: str, inputs: int, outputs: int) -> None:
    kernel = products._products(weights, values, outputs, inputs)

    @njit
    @no_type_check
    def multiply(row, row_bytes, start, stride, length, sums):
        # the last two of the rows are the same one
        kernel(row, row_bytes, row + (outputs - 2) * row_bytes, start, stride, length, sums)

    matrix = torch.randint(-127, 128, (outputs, 96), dtype=torch.int8)
    if weights != "int8":
        matrix = torch.randn(outputs, 96).to(KINDS[weights])
    x = torch.randn(inputs, 100).to(KINDS[values])
    sums = np.zeros((inputs, products.OUTPUTS), np.float32)
    row_bytes, stride = (tensor.stride(0) * tensor.itemsize for tensor in (matrix, x))
    multiply(matrix.data_ptr(), row_bytes, x.data_ptr(), stride, 96, sums.ctypes.data)
    matrix[-1] = matrix[-2]
    expected = x[:, :96].double() @ matrix.double().T
    scale = x[:, :96].double().abs() @ matrix.double().abs().T
    assert (np.abs(sums[:, :outputs] - expected.numpy()) <= 1e-6 * scale.numpy()).all()
