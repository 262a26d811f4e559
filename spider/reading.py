"""Reads files: each failure becomes one error of the tree, in one line that names the file.

Every read of a file in this program goes through this module, or through a reader that is built on
:func:`reading`; ``tests/architecture/test_reading.py`` lists the readers. :func:`reading` is the
rule itself: it knows what the operating system, codecs, JSON, NumPy and archives raise.
"""

import errno
import json
import os
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from lzma import LZMAError
from pathlib import Path
from typing import Any

from spider.errors import DataError, SpiderError
from spider.parsing.json_text import RepeatedKeyError, parse

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: characters of a library's message that are shown
SHOWN = 300

IN_WORDS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file; a part of its path is no folder",
    errno.EISDIR: "a folder, expected a file",
    errno.EACCES: "cannot be read: permission denied; chmod u+r FILE permits it",
    errno.EPERM: "cannot be read: permission denied",
    errno.ELOOP: "cannot be read: its symbolic links form a loop",
    errno.ENAMETOOLONG: "cannot be read: its name is too long",
    errno.ENXIO: "a socket or a device without a driver, expected a regular file",
    errno.EIO: "cannot be read: the disk reports an error",
    errno.ESTALE: "cannot be read: the network file system has lost it; open it again",
    errno.EMFILE: "cannot be read: too many files are open; ulimit -n raises the limit",
    errno.ENOMEM: "does not fit in memory",
}
DAMAGED = (EOFError, LZMAError, zlib.error, zipfile.BadZipFile, struct.error)
KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass
class Place:
    """Where in a file the reader is, for the message of an error.

    Attributes:
        line: the number of the line from 1; None where the file has no lines.
    """

    line: int | None = None


@contextmanager
def reading(
    path: Path | str,
    *,
    error: type[SpiderError] = DataError,
    foreign: bool = False,
    line: int | None = None,
) -> Iterator[Place]:
    """Turn every failure of the body to read a file into one error that names the file.

    Args:
        path: the file, for the message.
        error: the class to raise.
        foreign: the body is a parser of another library, which may raise anything, a panic in
            Rust included. Without it, exceptions that only a bug of ours raises (``KeyError``, say)
            pass unchanged.
        line: the line, where the body reads only one.

    Raises:
        SpiderError: of the class ``error``. Errors of the tree pass unchanged.
    """
    place = Place(line)
    try:
        yield place
    except SpiderError:
        raise
    except BaseException as failure:
        said = describe(failure)
        if said is None:
            if not (foreign and (isinstance(failure, Exception) or _is_panic(failure))):
                raise
            said = f"cannot be read: {type(failure).__name__}{_detail(failure)}"
        if place.line is None and isinstance(failure, json.JSONDecodeError | RepeatedKeyError):
            place.line = failure.lineno
        raise failed(said, path, error=error, line=place.line) from failure


def failed(
    message: str,
    path: Path | str,
    *,
    error: type[SpiderError] = DataError,
    line: int | None = None,
) -> SpiderError:
    """Return an error of a class that names the file, and the line if there is one."""
    if issubclass(error, DataError):
        return error(message, path=path, line=line)
    return error(f"{path}: {message}" if line is None else f"{path}:{line}: {message}")


def describe(failure: BaseException) -> str | None:
    """Say in words what a failed read means; None for an exception that reading does not raise."""
    if isinstance(failure, UnicodeDecodeError):
        byte = failure.object[failure.start]
        return f"not UTF-8 (byte 0x{byte:02x} at {failure.start}); convert the file to UTF-8"
    if isinstance(failure, UnicodeEncodeError):
        return "its name holds a character that the file system cannot store"
    if isinstance(failure, json.JSONDecodeError):
        return f"not JSON: {failure.msg.removesuffix(' at')} at column {failure.colno}"
    if isinstance(failure, RecursionError):
        return "nested too deeply to be read"
    if isinstance(failure, MemoryError):
        return "does not fit in memory"
    if isinstance(failure, (*DAMAGED, *_zstandard_errors())):
        return f"damaged or incomplete{_detail(failure)}"
    if isinstance(failure, OSError):
        if failure.errno is None:
            # gzip, bz2 and NumPy raise a plain OSError for damaged content
            return f"damaged or incomplete{_detail(failure)}"
        return IN_WORDS.get(failure.errno) or f"cannot be read: {os.strerror(failure.errno)}"
    if isinstance(failure, ValueError | OverflowError):
        # a NUL in a name, a number of 5,000 digits, a header of NumPy
        return f"cannot be read{_detail(failure)}"
    return None


def open_regular(path: Path | str, *, error: type[SpiderError] = DataError) -> BufferedReader:
    """Open a regular file for reading bytes; a folder, pipe, socket or device is an error.

    Raises:
        SpiderError: the file cannot be opened, or is not a regular file.
    """

    def opener(name: str | Path, flags: int) -> int:
        # without O_NONBLOCK, opening a pipe waits for ever for somebody who writes into it
        descriptor = os.open(name, flags | os.O_NONBLOCK)
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode):
            return descriptor
        os.close(descriptor)
        kind = next((words for test, words in KINDS if test(mode)), "no regular file")
        raise failed(f"{kind}, expected a regular file", path, error=error)

    with reading(path, error=error):
        return open(path, "rb", opener=opener)


def read_bytes(path: Path | str, *, error: type[SpiderError] = DataError) -> bytes:
    """Return the content of a regular file.

    Raises:
        SpiderError: it cannot be read.
    """
    with open_regular(path, error=error) as file, reading(path, error=error):
        return file.read()


def read_text(path: Path | str, *, error: type[SpiderError] = DataError) -> str:
    r"""Return the content of a UTF-8 file without its byte order mark; ``\r\n`` stays.

    Raises:
        SpiderError: it cannot be read, or is not UTF-8.
    """
    data = read_bytes(path, error=error)
    with reading(path, error=error):
        return data.removeprefix(BYTE_ORDER_MARK).decode("utf-8")


def parse_json(
    text: str | bytes,
    path: Path | str,
    *,
    error: type[SpiderError] = DataError,
    line: int | None = None,
) -> Any:
    """Return the value of a JSON text; a key that an object has twice is an error.

    Args:
        text: the text.
        path: the file that it comes from, for errors.
        error: the class to raise.
        line: the line that it comes from, if it is one line of the file.

    Raises:
        SpiderError: it is not JSON, is nested too deeply, or holds a number too long to be read.
    """
    with reading(path, error=error, line=line):
        return parse(text)


def read_json(path: Path | str, *, error: type[SpiderError] = DataError) -> Any:
    """Return the value of a JSON file.

    Raises:
        SpiderError: it cannot be read, or is not JSON.
    """
    return parse_json(read_text(path, error=error), path, error=error)


def read_json_object(path: Path | str, *, error: type[SpiderError] = DataError) -> dict[str, Any]:
    """Return the object of a JSON file.

    Raises:
        SpiderError: it cannot be read, or is not a JSON object.
    """
    value = read_json(path, error=error)
    if not isinstance(value, dict):
        got = type(value).__name__
        raise failed(f"expected a JSON object, got a {got}", path, error=error)
    return value


def list_folder(folder: Path, *, error: type[SpiderError] = DataError) -> list[Path]:
    """Return the entries of a folder, sorted by name.

    Raises:
        SpiderError: it is not there, is no folder, or cannot be read.
    """
    with reading(folder, error=error):
        return sorted(folder.iterdir())


def _is_panic(failure: BaseException) -> bool:
    # of pyo3, which names no module to import it from
    return type(failure).__name__ == "PanicException"


def _zstandard_errors() -> tuple[type[Exception], ...]:
    zstandard = sys.modules.get("zstandard")
    return () if zstandard is None else (zstandard.ZstdError,)


def _detail(failure: BaseException) -> str:
    words = " ".join(str(failure).split())
    return f": {words[:SHOWN]}" if words else ""
