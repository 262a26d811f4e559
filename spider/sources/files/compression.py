"""Opens every compressed file: the data are checked to their end, and their size is limited.

The libraries differ in what they take for whole. ``zstandard`` reads a file that broke off without
an error, and the others ignore some bytes after the end. Here a file is one or more complete
members, one after the other, and zero bytes may follow. Anything else is a :class:`StreamError`.
"""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BufferedReader, RawIOBase
from pathlib import Path
from typing import NamedTuple, Protocol, cast, runtime_checkable
from zipfile import BadZipFile, ZipFile, ZipInfo

from spider.errors import DataError, MissingDependencyError
from spider.reading import describe, open_regular, reading
from spider.sources.files.limits import FREE_BYTES, INFLATION, LARGEST_WINDOW
from spider.sources.optional_package import OptionalPackage

ZSTANDARD = OptionalPackage("zstandard", extra="zst")
#: bytes of a file that are read at once, and of text that are inflated at once
CHUNK = 1 << 16
#: compressed bytes that zstandard gets at once: they inflate to at most 32 MiB
ZSTANDARD_CHUNK = 1 << 10
LONGEST_MAGIC = 6


class StreamError(OSError):
    """Compressed data are damaged, incomplete, or larger than allowed."""


@runtime_checkable
class Decompressor(Protocol):
    """Inflates one member, as ``bz2.BZ2Decompressor`` does."""

    @property
    def eof(self) -> bool:
        """Whether the member is complete and its checksum is right."""

    @property
    def needs_input(self) -> bool:
        """Whether more output needs more input."""

    @property
    def unused_data(self) -> bytes:
        """Bytes after the member's end."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return some of the inflated bytes."""


class Compression(NamedTuple):
    """One compressed format.

    Attributes:
        magic: the first bytes of a member, or several such.
        decompressor: makes the object that inflates one member.
    """

    magic: tuple[bytes, ...]
    decompressor: Callable[[], Decompressor]


class _Gzip:
    """zlib's decompressor with the interface of the others; it checks length and CRC."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        inflated = self._member.decompress(self._member.unconsumed_tail + data, max_length)
        self.needs_input = not self._member.unconsumed_tail and len(inflated) < max_length
        return inflated


class _Zstandard:
    """zstandard's decompressor with the interface of the others; it takes little at once."""

    def __init__(self) -> None:
        import zstandard

        self._frame = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj()
        self._waiting = memoryview(b"")

    @property
    def eof(self) -> bool:
        return bool(self._frame.eof)

    @property
    def needs_input(self) -> bool:
        return not self._waiting

    @property
    def unused_data(self) -> bytes:
        return bytes(self._frame.unused_data) + bytes(self._waiting)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if data:
            self._waiting = memoryview(bytes(self._waiting) + data)
        now, self._waiting = self._waiting[:ZSTANDARD_CHUNK], self._waiting[ZSTANDARD_CHUNK:]
        return bytes(self._frame.decompress(bytes(now)))


COMPRESSIONS = {
    ".gz": Compression((b"\x1f\x8b",), _Gzip),
    ".bz2": Compression((b"BZh",), bz2.BZ2Decompressor),
    ".xz": Compression(
        (b"\xfd7zXZ\0",),
        lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * LARGEST_WINDOW),
    ),
    # the second to the last are frames that a reader skips; pzstd writes them
    ".zst": Compression(
        (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + n]) + b"\x2a\x4d\x18" for n in range(16))),
        _Zstandard,
    ),
}


ARCHIVES = {
    b"PK\x03\x04": "a zip",
    b"PK\x05\x06": "an empty zip",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
}
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P)")


def open_binary(path: Path) -> BufferedReader:
    """Open a file for reading, decompressed as its first bytes or its suffix say.

    The first bytes decide where they are those of a compressed format, because people rename files:
    ``corpus.jsonl`` may hold gzip's data. Reading raises :class:`StreamError` where the compressed
    data are damaged.

    Raises:
        DataError: there is no such file, it cannot be opened, or it is an archive.
        MissingDependencyError: the data are zstandard's, which is not installed.
    """
    file = open_regular(path)
    try:
        suffix = compression_of(file, path)
    except BaseException:
        file.close()
        raise
    if suffix is None:
        return file
    return BufferedReader(_Inflated(file, suffix), buffer_size=CHUNK)


def compression_of(file: BufferedReader, path: Path) -> str | None:
    """Return the suffix of the format in which a file is compressed; None if it is not.

    Raises:
        DataError: it cannot be read, or is an archive.
        MissingDependencyError: the data are zstandard's, which is not installed.
    """
    with reading(path):
        head = file.peek(LONGEST_MAGIC)
    archive = next((kind for magic, kind in ARCHIVES.items() if head.startswith(magic)), None)
    if archive is not None:
        raise DataError(
            f"{archive}, expected text; unpack it and give the file that it holds", path=path
        )
    found = [suffix for suffix, kind in COMPRESSIONS.items() if head.startswith(kind.magic)]
    # "BZh" may also begin a text
    if found == [".bz2"] and not _BZIP2.match(head):
        found = []
    named = path.suffix.lower()
    suffix = found[0] if found else (named if named in COMPRESSIONS else None)
    if suffix == ".zst" and not ZSTANDARD.installed:
        raise MissingDependencyError(f"{path}: reading .zst needs zstandard", extra=ZSTANDARD.extra)
    return suffix


@contextmanager
def open_zip(path: Path, *, expected: str = "a zip") -> Iterator[ZipFile]:
    """Open a zip for reading.

    Args:
        path: the file.
        expected: what it should be, for the message.

    Raises:
        DataError: there is no such file, or it is no whole zip.
    """
    with open_regular(path) as file:
        try:
            archive = ZipFile(file)
        except BadZipFile as error:
            raise DataError(
                f"expected {expected}; the zip is damaged or incomplete: {error}", path=path
            ) from error
        except Exception as error:  # a damaged directory raises errors of many types
            raise DataError(_said(error), path=path) from error
        with archive:
            yield archive


def open_member(archive: ZipFile, member: ZipInfo, path: Path) -> BufferedIOBase:
    """Open a file in a zip; its checksum is verified at its end.

    Raises:
        DataError: it is encrypted, damaged, or compressed in an unknown way.
    """
    try:
        file = archive.open(member)
    except Exception as error:
        raise DataError(_said(error), path=path / member.filename) from error
    return BufferedReader(
        # typeshed declares IO[bytes], but the object is a ZipExtFile
        _Member(cast(BufferedIOBase, file), member),
        buffer_size=CHUNK,
    )


class _Limited(RawIOBase):
    """A stream of inflated bytes that counts them.

    ``FREE_BYTES`` and ``INFLATION`` limit their number.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ready = memoryview(b"")
        self._inflated = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            data = self._next()
            if data is None:
                return 0
            self._inflated += len(data)
            self._ready = memoryview(data)
            if self._inflated > FREE_BYTES + INFLATION * self._compressed():
                raise StreamError(
                    f"inflates to more than {INFLATION} times its size, which no text does;"
                    " if you trust it, decompress it and give the plain file"
                )
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _next(self) -> bytes | None:
        """Return further bytes, perhaps none yet; None at the end."""
        raise NotImplementedError

    def _compressed(self) -> int:
        """Return how many compressed bytes were read."""
        raise NotImplementedError


class _Inflated(_Limited):
    """The inflated members of a compressed file.

    Args:
        file: the compressed file; closed with this stream.
        suffix: of the format.
    """

    def __init__(self, file: BufferedReader, suffix: str):
        super().__init__()
        self._file = file
        self._suffix = suffix
        self._format = COMPRESSIONS[suffix]
        self._member: Decompressor | None = None
        self._waiting = b""
        self._members = 0

    def close(self) -> None:
        self._file.close()
        super().close()

    def _compressed(self) -> int:
        return self._file.tell()

    def _next(self) -> bytes | None:
        member = self._member or self._begin()
        if member is None:
            return None
        if member.needs_input and not self._waiting:
            self._waiting = self._file.read(CHUNK)
            if not self._waiting:
                raise StreamError("the file ends inside its compressed data; is the file complete?")
        data, self._waiting = self._waiting, b""
        try:
            inflated = member.decompress(data, CHUNK)
        except Exception as error:
            raise StreamError(f"{_said(error)}; is the file complete?") from error
        self._member = member
        if member.eof:
            self._waiting, self._member = member.unused_data, None
        return inflated

    def _begin(self) -> Decompressor | None:
        """Begin the next member; None at the end of the file."""
        self._waiting += self._file.read(LONGEST_MAGIC)
        if self._members:
            while self._waiting and not self._waiting.strip(b"\0"):
                self._waiting = self._file.read(CHUNK)
            self._waiting = self._waiting.lstrip(b"\0") + self._file.read(LONGEST_MAGIC)
            if not self._waiting:
                return None
        if not self._waiting.startswith(self._format.magic):
            raise StreamError(self._no_member())
        self._members += 1
        return self._format.decompressor()

    def _no_member(self) -> str:
        if not self._members:
            got = "an empty file" if not self._waiting else repr(self._waiting[:LONGEST_MAGIC])
            return f"expected {self._suffix} data, got {got}; is the file complete?"
        return (
            f"other bytes follow the compressed data at byte"
            f" {self._compressed() - len(self._waiting)}: {self._waiting[:LONGEST_MAGIC]!r};"
            " is the file complete?"
        )


class _Member(_Limited):
    """A file in a zip, which itself checks length and CRC.

    Args:
        file: the opened member; closed with this stream.
        member: its entry.
    """

    def __init__(self, file: BufferedIOBase, member: ZipInfo):
        super().__init__()
        self._file = file
        self._size = member.compress_size

    def close(self) -> None:
        self._file.close()
        super().close()

    def _compressed(self) -> int:
        return self._size

    def _next(self) -> bytes | None:
        try:
            return self._file.read(CHUNK) or None
        except Exception as error:
            raise StreamError(f"{_said(error)}; is the file complete?") from error


def _said(error: Exception) -> str:
    if isinstance(error, RuntimeError | NotImplementedError):
        return f"cannot be decompressed: {error}"
    return describe(error) or f"damaged or incomplete: {type(error).__name__}: {error}"
