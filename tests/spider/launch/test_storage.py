"""A full disk is one error, however a library says it."""

import errno
from pathlib import Path

import numpy as np
import pytest
import safetensors

from spider.errors import StorageError
from spider.launch.storage import storage_error

FULL = "the disk is full: free some space"


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), f"a/b: {FULL}"),
        (OSError(errno.ENOSPC, "No space left on device", b"a/b"), f"a/b: {FULL}"),
        (OSError(errno.ENOSPC, "No space left on device"), FULL),
        # a message of numpy, of safetensors, of FAISS and of Java
        (OSError("2097152 requested and 511488 written"), FULL),
        (safetensors.SafetensorError("Error: I/O error: No space left (os error 28)"), FULL),
        (RuntimeError("Error in void write(): write error in x: No space left on device"), FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "your quota of disk space"),
        (OSError(errno.EROFS, "Read-only file system", "x"), "x: the file system is read-only"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "x: permission denied"),
        (OSError(errno.EIO, "Input/output error", 3), "the disk reports an error"),
    ],
)
def test_each_is_recognised(failure: Exception, said: str) -> None:
    found = storage_error(failure)
    assert isinstance(found, StorageError)
    assert str(found).startswith(said)
    assert str(found).endswith("; the same command then continues")
    assert "\n" not in str(found)


def test_the_cause_counts() -> None:
    outer = RuntimeError("saving failed")
    outer.__cause__ = OSError(errno.ENOSPC, "No space left on device", "a")
    assert str(storage_error(outer)).startswith(f"a: {FULL}")
    outer.__cause__ = outer
    assert storage_error(outer) is None


@pytest.mark.parametrize(
    "failure",
    [
        ValueError("x"),
        FileNotFoundError(errno.ENOENT, "No such file", "x"),
        OSError("os error 280"),
    ],
)
def test_other_failures_stay_what_they_are(failure: Exception) -> None:
    assert storage_error(failure) is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_what_numpy_really_says() -> None:
    # without a buffer, since closing one would fail again
    with Path("/dev/full").open("wb", buffering=0) as file:
        with pytest.raises(OSError, match=r"requested and \d+ written|No space") as caught:
            np.zeros(1 << 20).tofile(file)
        assert str(storage_error(caught.value)).startswith(FULL)
