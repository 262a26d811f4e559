"""How sequences are cut into chunks of time: every token once, every state in its place."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.gpu import chunks

CPU = torch.device("cpu")
LENGTHS = st.lists(st.integers(0, 700), min_size=1, max_size=5)


def test_a_long_sequence_is_cut_until_it_fills_a_gpu() -> None:
    long = chunks.plan(Segments((262_144,)), 64, CPU)
    assert long.chunks * 64 >= chunks.FULL
    assert long.kept == 262_144 // chunks.KEEP


@pytest.mark.parametrize(
    ("lengths", "blocks", "whole"),
    [
        ((100, 0), 64, True),  # shorter than two chunks
        ((9000,) * 64, 64, True),  # the sequences fill the GPU
        ((100, 0, 5000), 16, False),
        ((129,), 1, False),
        ((128,), 1, True),
    ],
)
def test_sequences_stay_whole_where_cutting_gains_nothing(
    lengths: tuple[int, ...], blocks: int, whole: bool
) -> None:
    assert chunks.plan(Segments(lengths), blocks, CPU).whole == whole


@given(lengths=LENGTHS, blocks=st.integers(1, 8))
def test_chunks_cover_each_sequence_in_order(lengths: list[int], blocks: int) -> None:
    segments = Segments(lengths)
    plan = chunks.plan(segments, blocks, CPU)
    rows = plan.table.tolist()
    assert len(rows) == plan.chunks == plan.first_chunks[-1]
    for sequence, part in enumerate(segments.slices):
        first, last = plan.first_chunks[sequence : sequence + 2].tolist()
        own = rows[first:last]
        # an empty sequence has one chunk, so that its state passes through
        assert own
        assert all(row[2] == sequence for row in own)
        tokens = [token for row in own for token in range(row[0], row[0] + row[1])]
        assert tokens == list(range(part.start, part.stop))
        if not plan.whole:
            assert all((row[0] - part.start) % chunks.SHORTEST == 0 for row in own)


@given(lengths=LENGTHS, blocks=st.integers(1, 8))
def test_each_tile_of_a_chunk_keeps_one_state(lengths: list[int], blocks: int) -> None:
    plan = chunks.plan(Segments(lengths), blocks, CPU)
    expected = 0
    for row in plan.table.tolist():
        assert row[3] == expected
        expected += -(-row[1] // chunks.KEEP)
    assert plan.kept == expected


def test_a_plan_is_made_once_for_the_layers_of_a_model() -> None:
    segments = Segments((500, 3))
    plan = chunks.plan(segments, 4, CPU)
    assert chunks.plan(segments, 4, CPU) is plan
    assert chunks.plan(Segments((500, 3)), 4, CPU) is not plan


def test_a_batch_of_nothing_has_no_chunks() -> None:
    plan = chunks.plan(Segments(()), 4, CPU)
    assert (plan.chunks, plan.kept) == (0, 0)
    assert plan.table.shape == (0, chunks.COLUMNS)
