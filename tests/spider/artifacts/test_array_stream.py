"""A growing array is the array that numpy would have written."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spider.artifacts import array_stream
from spider.artifacts.array_stream import ArrayStream, open_array


@settings(max_examples=40)
@given(st.lists(st.one_of(st.integers(-9, 9), st.lists(st.integers(-9, 9), max_size=7))))
def test_rows_and_blocks_keep_their_order(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[int | list[int]]
) -> None:
    path = tmp_path_factory.mktemp("stream") / "x.npy"
    expected: list[int] = []
    with ArrayStream(path, np.dtype(np.int32)) as stream:
        for piece in pieces:
            if isinstance(piece, int):
                stream.append(piece)
                expected.append(piece)
            else:
                stream.extend(np.array(piece, dtype=np.int64))
                expected += piece
            assert len(stream) == len(expected)
    found = open_array(path)
    assert found.dtype == np.int32
    assert found.tolist() == expected


def test_the_bytes_are_those_of_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_stream, "BUFFER_ROWS", 2)
    rows = np.arange(10, dtype=np.uint16).reshape(5, 2)
    with ArrayStream(tmp_path / "stream.npy", rows.dtype, (2,)) as stream:
        for row in rows:
            stream.append(row)
    np.save(tmp_path / "numpy.npy", rows)
    assert (tmp_path / "stream.npy").read_bytes() == (tmp_path / "numpy.npy").read_bytes()


def test_the_header_never_reaches_into_the_rows(tmp_path: Path) -> None:
    """The number of rows has one digit at first and four at the end."""
    with ArrayStream(tmp_path / "x.npy", np.dtype(np.int8)) as stream:
        stream.extend(np.full(5000, 7))
    assert open_array(tmp_path / "x.npy").tolist() == [7] * 5000


def test_an_array_without_rows_opens(tmp_path: Path) -> None:
    ArrayStream(tmp_path / "x.npy", np.dtype(np.float32), (3,)).close()
    assert open_array(tmp_path / "x.npy").shape == (0, 3)


def test_an_opened_array_is_read_only_and_closing_twice_is_harmless(tmp_path: Path) -> None:
    stream = ArrayStream(tmp_path / "x.npy", np.dtype(np.int8))
    stream.append(1)
    stream.close()
    stream.close()
    with pytest.raises(ValueError, match="read-only"):
        open_array(tmp_path / "x.npy")[0] = 2
