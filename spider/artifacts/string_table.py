"""A memory-mapped list of strings, found by number or by value."""

import hashlib
import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, SupportsIndex

import numpy as np

from spider.artifacts.array_stream import ArrayStream, open_array
from spider.errors import ArtifactError
from spider.reading import open_regular, reading

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"


class Duplicate(NamedTuple):
    """One string that occurs twice in a table."""

    value: str
    first: int
    second: int


def damaged(folder: Path, what: str, got: object) -> ArtifactError:
    """Return the error of a file that was too large to be compared when it was opened."""
    return ArtifactError(
        f"{folder}: {what} is damaged ({got}); spider verify {folder} names the file"
    )


def map_bytes(path: Path) -> mmap.mmap | bytes:
    """Map a file read-only; an empty file gives empty bytes, since mmap refuses it.

    Raises:
        ArtifactError: it cannot be read.
    """
    with open_regular(path, error=ArtifactError) as file, reading(path, error=ArtifactError):
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def hash_string(value: bytes) -> int:
    """Return the 64-bit BLAKE2b hash under which a string is found."""
    return int.from_bytes(hashlib.blake2b(value, digest_size=8).digest(), "little")


def replace_surrogates(text: str) -> tuple[str, int]:
    """Replace each lone surrogate, which UTF-8 cannot hold, by U+FFFD; offsets stay valid.

    Returns:
        The text, and the number of replacements.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return LONE_SURROGATE.subn(REPLACEMENT, text)
    return text, 0


class StringTable:
    """Strings on disk, read one by one.

    Files: ``NAME.utf8`` (the strings one after the other), ``NAME.offsets.npy`` (int64, one more
    than there are strings) and, for a table that is searched by value, ``NAME.hashes.npy``
    (uint64, ascending) with ``NAME.order.npy`` (int64, the number of each hash's string).

    Args:
        folder: the folder of the files.
        name: their common stem.
        searchable: whether :meth:`find` will be called.

    Raises:
        ArtifactError: a file is missing or damaged.
    """

    def __init__(self, folder: Path, name: str, *, searchable: bool = False):
        self._bytes = map_bytes(folder / f"{name}.utf8")
        self._offsets = open_array(folder / f"{name}.offsets.npy", np.int64, ())
        self._folder = folder
        self._name = name
        # all files are opened now, since the folder may be replaced later
        self._hashes = open_array(folder / f"{name}.hashes.npy", "<u8", ()) if searchable else None
        self._order = open_array(folder / f"{name}.order.npy", np.int64, ()) if searchable else None
        if not len(self._offsets) or self._offsets[-1] != len(self._bytes):
            raise ArtifactError(
                f"{folder / name}.utf8: got {len(self._bytes)} bytes, expected another number by "
                f"{name}.offsets.npy; make its artifact again"
            )

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, number: SupportsIndex) -> str:
        index = number.__index__()
        if not 0 <= index < len(self):
            raise IndexError(f"number {index} in a table of {len(self)} strings")
        try:
            return self._bytes[int(self._offsets[index]) : int(self._offsets[index + 1])].decode()
        except UnicodeDecodeError as error:
            raise damaged(self._folder, f"{self._name} {index}", error) from error

    def __iter__(self) -> Iterator[str]:
        return (self[number] for number in range(len(self)))

    def find(self, value: str) -> int | None:
        """Return the first number of a string, or None where it is not in the table."""
        if self._hashes is None or self._order is None:
            raise ValueError(f"{self._name} was opened without searchable=True")
        key = np.uint64(hash_string(value.encode("utf-8", errors="surrogatepass")))
        place = int(np.searchsorted(self._hashes, key))
        while place < len(self._hashes) and self._hashes[place] == key:
            number = int(self._order[place])
            if not 0 <= number < len(self):
                raise damaged(self._folder, f"{self._name}.order.npy", number)
            if self[number] == value:
                return number
            place += 1
        return None

    def first_duplicate(self) -> Duplicate | None:
        """Return the string that occurs twice and whose second occurrence comes first."""
        hashes = open_array(self._folder / f"{self._name}.hashes.npy")
        order = open_array(self._folder / f"{self._name}.order.npy")
        found: Duplicate | None = None
        for place in np.flatnonzero(hashes[1:] == hashes[:-1]) + 1:
            second = int(order[place])
            earlier = place - 1
            # other strings of the same hash may lie between two equal ones
            while earlier >= 0 and hashes[earlier] == hashes[place]:
                first = int(order[earlier])
                if self[first] == self[second] and (found is None or second < found.second):
                    found = Duplicate(self[first], first, second)
                earlier -= 1
        return found


class StringTableWriter:
    """Write a StringTable one string at a time.

    Args:
        folder: an existing folder.
        name: common stem of the files.
        searchable: whether :meth:`StringTable.find` will work.
    """

    def __init__(self, folder: Path, name: str, *, searchable: bool):
        self._folder = folder
        self._name = name
        self._file = (folder / f"{name}.utf8").open("wb")
        self._offsets = ArrayStream(folder / f"{name}.offsets.npy", np.dtype(np.int64))
        self._offsets.append(0)
        self._end = 0
        self._searchable = searchable
        # 8 bytes a string stay in memory until the sort at the end: 170 MB for 21 million
        self._hashes = bytearray()

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def add(self, value: str) -> None:
        """Append a string, which must hold no lone surrogate."""
        encoded = value.encode("utf-8")
        self._file.write(encoded)
        self._end += len(encoded)
        self._offsets.append(self._end)
        if self._searchable:
            self._hashes += hashlib.blake2b(encoded, digest_size=8).digest()

    def close(self) -> None:
        """Complete the files."""
        if self._file.closed:
            return
        self._file.close()
        self._offsets.close()
        if self._searchable:
            hashes = np.frombuffer(bytes(self._hashes), dtype="<u8")
            order = np.argsort(hashes, kind="stable")
            for kind, column in (("hashes", hashes[order]), ("order", order.astype(np.int64))):
                with ArrayStream(self._folder / f"{self._name}.{kind}.npy", column.dtype) as out:
                    out.extend(column)

    def __enter__(self) -> "StringTableWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
