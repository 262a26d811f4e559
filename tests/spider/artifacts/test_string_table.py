"""Strings on disk, found by number and by value."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spider.artifacts import string_table
from spider.artifacts.array_stream import ArrayStream, open_array
from spider.artifacts.string_table import StringTable, StringTableWriter, replace_surrogates


def write(folder, values):
    with StringTableWriter(folder, "t", searchable=True) as writer:
        for value in values:
            writer.add(value)
        assert len(writer) == len(values)
    return StringTable(folder, "t", searchable=True)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=5), unique=True, max_size=20), st.text(max_size=5))
def test_every_string_is_found_and_no_other(tmp_path, values, other):
    table = write(tmp_path, values)
    assert list(table) == values
    assert [table.find(value) for value in values] == list(range(len(values)))
    assert table.find(other) == (values.index(other) if other in values else None)
    assert table.first_duplicate() is None


def test_equal_hashes_are_told_apart(tmp_path, monkeypatch):
    class Constant:
        def __init__(self, value, digest_size):
            pass

        def digest(self):
            return b"\1" * 8

    monkeypatch.setattr(string_table.hashlib, "blake2b", Constant)
    table = write(tmp_path, ["a", "b", "c"])
    assert [table.find(value) for value in ("c", "a", "b", "d")] == [2, 0, 1, None]
    assert table.first_duplicate() is None
    assert write(tmp_path, ["a", "b", "a"]).first_duplicate() == ("a", 0, 2)


def test_unusual_values(tmp_path):
    values = ["", "a\nb", "\0", "🦎", "wiki:1", "x" * 5000]
    table = write(tmp_path, values)
    assert [table[n] for n in range(len(values))] == values
    assert table.find("\ud800") is None
    with pytest.raises(IndexError):
        table[-1]


def test_first_of_several_duplicates(tmp_path):
    assert write(tmp_path, ["x", "y", "z", "y", "x"]).first_duplicate() == ("y", 1, 3)


def test_surrogates_keep_their_count():
    assert replace_surrogates("a\ud800\udc00🦎") == ("a\ufffd\ufffd🦎", 2)
    assert replace_surrogates("fine") == ("fine", 0)


@pytest.mark.parametrize("rows", [0, 1, 70_000])
def test_array_stream_equals_numpy(tmp_path, rows):
    expected = np.arange(rows * 2, dtype=np.int32).reshape(rows, 2)
    with ArrayStream(tmp_path / "a.npy", np.dtype(np.int32), (2,)) as stream:
        for row in expected[: rows // 2].tolist():
            stream.append(row)
        stream.extend(expected[rows // 2 :])
        assert len(stream) == rows
    found = open_array(tmp_path / "a.npy")
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, expected)
