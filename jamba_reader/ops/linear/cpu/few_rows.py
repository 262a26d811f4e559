"""Linear maps of a few rows in numba, as while generating: the weights are read once."""

from typing import no_type_check

import numpy as np
from numba import prange

from jamba_reader.ops.machine.products import INPUTS, OUTPUTS, sums_on_stack, tile_products
from jamba_reader.ops.machine.rows import Matrix, Rows, read_one, write_one
from spider.compilation import njit
from spider.kernels.lanes import load_scalar


@njit(error_model="numpy")
@no_type_check
def scale_at(matrix, row):
    """What a row's products are multiplied by."""
    return load_scalar(matrix.scale + 4 * row) if matrix.scale != 0 else np.float32(1)


@njit(error_model="numpy")
@no_type_check
def multiply_tile(matrix, tile, bias, values, count, out):
    """Write eight columns of ``values @ matrix.T + bias``, rounded to what ``out`` holds.

    Args:
        matrix: a ``Matrix``.
        tile: which eight of its rows.
        bias: ``Rows`` of one, or of none.
        values: ``Rows``, the inputs.
        count: the number of the inputs.
        out: ``Rows``.
    """
    sums = sums_on_stack()
    first = tile * OUTPUTS
    for start in range(0, count, INPUTS):
        inputs = min(INPUTS, count - start)
        tile_products(matrix, first, values, start, inputs, sums)
        for n in range(min(OUTPUTS, matrix.rows - first)):
            scale = scale_at(matrix, first + n)
            added = np.float32(0)
            if bias.address != 0:
                added = read_one(bias.address, first + n, bias.kind)
            for i in range(inputs):
                value = load_scalar(sums + 4 * (i * OUTPUTS + n)) * scale + added
                write_one(out.address, (start + i) * out.stride + first + n, out.kind, value)


@njit(parallel=True, nogil=True, error_model="numpy")
@no_type_check
def multiply_few_rows(matrix, bias, values, count, out):
    """Write ``values @ matrix.T + bias``; arguments as of ``multiply_tile``."""
    # a loop's threads take numbers and arrays, not tuples
    address, rows, columns, kind, scale = matrix
    bias_address, _, bias_kind = bias
    values_address, values_stride, values_kind = values
    out_address, out_stride, out_kind = out
    for tile in prange((rows + OUTPUTS - 1) // OUTPUTS):
        multiply_tile(
            Matrix(address, rows, columns, kind, scale),
            tile,
            Rows(bias_address, 0, bias_kind),
            Rows(values_address, values_stride, values_kind),
            count,
            Rows(out_address, out_stride, out_kind),
        )
