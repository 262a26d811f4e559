"""How sequences are cut into chunks of time."""

import torch

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.gpu import chunks


def test_a_long_sequence_is_cut_until_it_fills_a_gpu():
    cpu = torch.device("cpu")
    long = chunks.plan(Segments((262_144,)), 64, None, cpu)
    assert long.chunks * 64 >= chunks.FULL
    assert long.kept == 262_144 // chunks.KEEP
    assert chunks.plan(Segments((100, 0)), 64, None, cpu).whole
    assert chunks.plan(Segments((9000,) * 64), 64, None, cpu).whole
    ragged = chunks.plan(Segments((100, 0, 5000)), 16, None, cpu)
    assert not ragged.whole
    rows = ragged.table
    assert rows[:, 1].sum() == 5100
    assert torch.equal(rows[1:, 0], rows.cumsum(0)[:-1, 1])
