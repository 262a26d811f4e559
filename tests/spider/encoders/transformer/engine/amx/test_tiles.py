from typing import no_type_check

import pytest
import torch
from numba import njit

from spider.encoders.transformer.engine.amx import tiles
from spider.encoders.transformer.engine.amx.encoder import pack, split


@njit
@no_type_check
def _multiply(planes, configuration, a, a_plane, b, steps, c):
    tiles.set_configuration(configuration)
    half, row = steps * 1024 * planes, 64 * steps
    if planes == 2:
        tiles.multiply_split(a, 16 * row, row, 64, a_plane, b, half, steps, c, 128)
    else:
        tiles.multiply(a, 16 * row, row, 64, a_plane, b, half, steps, c, 128)


@pytest.mark.parametrize(("planes", "bound"), [(1, 1e-2), (2, 2e-5)])
def test_products_of_tiles(planes, bound):
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(32, 96, generator=generator) for _ in range(2))
    configuration = torch.zeros(64, dtype=torch.uint8)
    configuration[0] = 1
    configuration[16:32:2] = 64
    configuration[48:56] = 16
    rows, weights, sums = split(left, planes).contiguous(), pack(right, planes), torch.empty(32, 32)
    _multiply(
        planes, configuration.data_ptr(), rows.data_ptr(), 2 * 32 * 96, weights.data_ptr(), 3,
        sums.data_ptr(),
    )  # fmt: skip
    exact = left.double() @ right.double().T
    assert (sums - exact).abs().max() / exact.abs().max() < bound
    if planes == 1:
        rounded = left.bfloat16().double() @ right.bfloat16().double().T
        torch.testing.assert_close(sums.double(), rounded, atol=1e-5, rtol=1e-5)
