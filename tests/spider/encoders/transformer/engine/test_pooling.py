import numpy as np
import pytest
import torch

from spider.encoders.transformer.engine.pooling import pool_packed
from spider.encoders.transformer.pooling import POOLINGS, pool


@pytest.mark.parametrize("skipped", [0, 2, 5])
@pytest.mark.parametrize("mode", POOLINGS)
def test_packed_pooling_is_padded_pooling(mode, skipped):
    lengths = [3, 1, 9, 5]
    padded = torch.randn(4, 9, 32, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[int(place < length) for place in range(9)] for length in lengths])
    packed = torch.cat([padded[text, :length] for text, length in enumerate(lengths)]).numpy()
    offsets = np.array([0, 3, 4, 13, 18])
    found = pool_packed(packed, offsets, [mode], skipped=skipped)
    expected = pool(padded, mask, mode, skipped=skipped).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6, rtol=1e-6)


def test_several_poolings_stand_end_to_end():
    states = np.arange(12, dtype=np.float32).reshape(3, 4)
    found = pool_packed(states, np.array([0, 2, 3]), ["mean", "max"])
    np.testing.assert_array_equal(found, [[2, 3, 4, 5, 4, 5, 6, 7], [8, 9, 10, 11, 8, 9, 10, 11]])
