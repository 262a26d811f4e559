"""Text files of any size, plain or compressed, line by line; errors name the line."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

from spider.errors import DataError
from spider.parsing.nested_json import HEAD, refuse_squad
from spider.reading import BYTE_ORDER_MARK, describe, open_regular, parse_json, reading
from spider.sources.files.compression import StreamError, open_binary
from spider.sources.files.limits import LONGEST_LINE

PathSetting = Path | str | Sequence[Path | str]


class TextLine(NamedTuple):
    """One line without its line break, and its number from 1."""

    number: int
    text: str


class JsonLine(NamedTuple):
    """One JSON object, and the number of its line from 1."""

    number: int
    record: dict[str, Any]


def read_lines(stream: BufferedIOBase, path: Path) -> Iterator[TextLine]:
    """Yield the lines of a UTF-8 stream; only a newline ends a line.

    Raises:
        DataError: a line is not UTF-8 or too long, or the compressed data are damaged.
    """
    number = 0
    try:
        for number, raw in enumerate(iter(partial(stream.readline, LONGEST_LINE + 1), b""), 1):
            if len(raw) > LONGEST_LINE:
                raise DataError(
                    f"a line of more than {LONGEST_LINE >> 20} MiB; expected one document or"
                    " question on each line",
                    path=path,
                    line=number,
                )
            line = raw.removeprefix(BYTE_ORDER_MARK) if number == 1 else raw
            yield TextLine(number, line.rstrip(b"\r\n").decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8 (byte 0x{error.object[error.start]:02x} at column {error.start + 1});"
            " convert the file to UTF-8",
            path=path,
            line=number,
        ) from error
    except OSError as error:
        raise DataError(
            f"cannot be read further: {_said(error)}", path=path, line=number + 1
        ) from error


def read_whole(path: Path) -> bytes:
    """Return the content of a file, decompressed as its suffix says.

    Raises:
        DataError: the file cannot be opened, or the compressed data are damaged.
    """
    with open_binary(path) as stream:
        try:
            return stream.read()
        except (OSError, MemoryError) as error:
            raise DataError(f"cannot be read: {_said(error)}", path=path) from error


def read_text_lines(path: Path) -> Iterator[TextLine]:
    """Yield the lines of a file, decompressed as its suffix says."""
    with open_binary(path) as stream:
        yield from read_lines(stream, path)


def read_json_lines(path: Path) -> Iterator[JsonLine]:
    """Yield the objects of a JSON-lines file; blank lines are skipped."""
    with open_binary(path) as stream:
        refuse_squad(_head(stream, path), path)
        yield from parse_json_lines(stream, path)


def parse_json_lines(stream: BufferedIOBase, path: Path) -> Iterator[JsonLine]:
    """Yield the objects of a JSON-lines stream.

    Raises:
        DataError: a line is not a JSON object.
    """
    for number, text in read_lines(stream, path):
        if not text.strip():
            continue
        if text.strip() in ("{", "["):
            raise DataError(
                "a JSON value begins here and ends in a later line; expected one object in each "
                "line; jq -c . FILE writes that, and for a list jq -c '.[]' FILE",
                path=path,
                line=number,
            )
        record = parse_json(text, path, line=number)
        if not isinstance(record, dict):
            got = type(record).__name__
            raise DataError(f"expected a JSON object, got a {got}", path=path, line=number)
        yield JsonLine(number, record)


def _head(stream: BufferedReader, path: Path) -> bytes:
    with reading(path):
        return stream.peek(HEAD)


def find_files(setting: PathSetting) -> list[Path]:
    """Turn a path, a glob, or several, into existing files, sorted within each.

    Raises:
        DataError: one of them names no file.
    """
    settings: Iterable[Path | str] = [setting] if isinstance(setting, Path | str) else setting
    files: list[Path] = []
    for one in settings:
        path = Path(one).expanduser()
        # a name with a bracket may be the name of a file
        found = [path] if path.is_file() else _match(path)
        kept = sorted(name for name in found if name.is_file())
        if not kept and path.is_dir():
            raise DataError(
                "a folder, expected files; a pattern names them: FOLDER/*.txt", path=path
            )
        if not kept:
            if os.path.lexists(path):
                # a pipe, a socket, a device, a link to nothing: the error says which
                open_regular(path).close()
            raise DataError("no such file, and no file matches it as a pattern", path=path)
        files += kept
    return files


def fingerprint_files(files: Iterable[Path]) -> list[list[str | int]]:
    """Return name, size and modification time (ns) of each file.

    Raises:
        DataError: a file is not there or cannot be read.
    """
    return [[str(file), stat.st_size, stat.st_mtime_ns] for file, stat in _stats(files)]


def _stats(files: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    for file in files:
        try:
            yield file, file.stat()
        except FileNotFoundError as error:
            raise DataError("no such file", path=file) from error
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", path=file) from error


def _said(error: OSError | MemoryError) -> str | None:
    return str(error) if isinstance(error, StreamError) else describe(error)


def _match(pattern: Path) -> list[Path]:
    # Path.glob takes no absolute pattern
    return [Path(name) for name in glob.glob(str(pattern), recursive=True)]  # noqa: PTH207
