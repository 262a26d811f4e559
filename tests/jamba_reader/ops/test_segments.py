import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jamba_reader.ops.segments import Segments
from spider.errors import DataError


@given(st.lists(st.integers(0, 5), max_size=6))
def test_slices_cut_the_rows_into_the_sequences(lengths: list[int]) -> None:
    segments = Segments(lengths)
    rows = list(range(segments.total))
    pieces = [rows[piece] for piece in segments.slices]
    assert [len(piece) for piece in pieces] == lengths
    assert [row for piece in pieces for row in piece] == rows
    assert segments.last_rows("cpu").tolist() == [piece[-1] for piece in pieces if piece]
    assert segments.starts_on("cpu").tolist() == list(segments.starts)
    assert len(segments) == len(lengths)


def test_single_tokens() -> None:
    assert Segments([1, 1]).single_tokens
    assert not Segments([1, 0]).single_tokens
    assert not Segments([2]).single_tokens


def test_starts_are_copied_to_a_device_once() -> None:
    segments = Segments([2, 3])
    assert segments.starts_on("cpu") is segments.starts_on(torch.device("cpu"))


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(DataError, match=r"\(2, -1\)"):
        Segments([2, -1])
