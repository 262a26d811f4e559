"""Arrays on disk: equal to those of NumPy, or one error."""

import json
from pathlib import Path

import numpy as np
import pytest

from spider.array_file import load_array
from spider.errors import ArtifactError


def npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """Return a ``.npy`` file with any header."""
    text = header.encode("latin-1") + b"\n"
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.int64).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4)),
        np.zeros((0, 5), np.uint16),
        np.array(3.5),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    ],
)
def test_arrays_are_those_of_numpy(array: np.ndarray, mapped: bool, tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    np.save(file, array)
    got = load_array(file, mapped=mapped)
    assert type(got) is np.ndarray
    assert got.dtype == array.dtype
    assert got.flags.f_contiguous == array.flags.f_contiguous
    assert got.flags.writeable != (mapped and array.size > 0)
    np.testing.assert_array_equal(got, array)


HEADER = "{'descr': '<i8', 'fortran_order': False, 'shape': (%s), }"


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        npy(HEADER % "2,", b"\0" * 15),
        npy(HEADER % "2,", b"\0" * 17),
        npy(HEADER % ("9" * 30 + ","), b"\0" * 16),
        npy(HEADER % "-2,", b"\0" * 16),
        npy(HEADER % "-1,-2", b"\0" * 16),
        npy(HEADER % "'2',", b"\0" * 16),
        npy(HEADER % "2.0,", b"\0" * 16),
        npy(HEADER % "True, 2", b"\0" * 16)[:-1],
        npy(HEADER % "2,", b"\0" * 16, version=b"\x09\x00"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", b"\0" * 16),
        npy("{'descr': '|V0', 'fortran_order': False, 'shape': (2,), }"),
        npy("{'descr': [], 'fortran_order': False, 'shape': (2,), }"),
        npy("(" * 5_000),
        npy("x" * 20_000),
        npy("{'descr': '<i8'}"),
        npy("__import__('os').abort()"),
        json.dumps([1]).encode(),
    ],
)
def test_arrays_that_are_damaged(content: bytes, mapped: bool, tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    file.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"a\.npy: ") as caught:
        load_array(file, error=ArtifactError, mapped=mapped)
    assert "\n" not in str(caught.value)
