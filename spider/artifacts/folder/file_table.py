"""The table of files in a manifest: what the writer declared, each file with size and digest.

A file that is not in the table is no part of the artifact. Files up to ``SMALL`` bytes are compared
with the table when a process first opens the artifact, larger ones by ``spider verify``: BLAKE2b
reads 890 MB/s on one core, so a small file costs at most 19 ms.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from spider.artifacts.atomic_files import TEMPORARY, hash_file, walk
from spider.errors import ArtifactError

SMALL = 16 << 20
DIGEST = "blake2b"
#: matches every file below a folder
EVERYTHING = "**"


class FileEntry(NamedTuple):
    """One file of an artifact.

    Attributes:
        size: its bytes.
        digest: BLAKE2b of 16 bytes in hexadecimal.
    """

    size: int
    digest: str


FileTable = Mapping[str, FileEntry]
#: files whose digest was compared by this process: path, and what ``stat`` says of it
_compared: set[tuple[str, str, int, int, int, int]] = set()


def is_plain_name(name: object) -> bool:
    """Return whether a name from a file names an entry of a folder and leads nowhere else."""
    return (
        isinstance(name, str)
        and name not in ("", ".", "..")
        and not any(character in name for character in ("/", "\\", "\0"))
    )


def is_inner_path(name: object) -> bool:
    """Return whether a path from a file, with ``/``, stays inside its folder."""
    return isinstance(name, str) and all(is_plain_name(part) for part in name.split("/"))


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a file is among those that a writer declared.

    Args:
        name: its path in the artifact, with ``/``.
        patterns: such paths with ``*`` for a part of a name; ``state/**`` is all below ``state``.
    """
    return any(_matches(name.split("/"), pattern.split("/")) for pattern in patterns)


def _matches(parts: list[str], pattern: list[str]) -> bool:
    if pattern[-1] == EVERYTHING:
        pattern = pattern[:-1]
        if len(parts) <= len(pattern):
            return False
        parts = parts[: len(pattern)]
    return len(parts) == len(pattern) and all(map(fnmatchcase, parts, pattern))


def names_below(folder: Path) -> list[str]:
    """Return the paths of all files below a folder, those that a kill left half written excepted.

    Raises:
        ArtifactError: one is a symbolic link, which this program never makes.
    """
    names = []
    for file in walk(folder):
        if file.is_symlink():
            raise ArtifactError(
                f"{file} is a symbolic link, and no verb makes one; remove it, and run again"
            )
        if not TEMPORARY.fullmatch(file.name):
            names.append(file.relative_to(folder).as_posix())
    return sorted(names)


def describe(folder: Path, names: Sequence[str]) -> dict[str, FileEntry]:
    """Return the entries of files, whose bytes are all read."""
    return {
        name: FileEntry((folder / name).stat().st_size, hash_file(folder / name)) for name in names
    }


def to_json(table: FileTable) -> dict[str, dict[str, Any]]:
    """Return the manifest's form of a table."""
    return {name: {"size": entry.size, DIGEST: entry.digest} for name, entry in table.items()}


def from_json(value: Any, *, where: Path) -> dict[str, FileEntry]:
    """Read the manifest's form of a table.

    Raises:
        ArtifactError: it has another form, or a name leads out of the artifact.
    """
    table = {}
    for name, entry in value.items() if isinstance(value, dict) else [("", value)]:
        size = entry.get("size") if isinstance(entry, dict) else None
        digest = entry.get(DIGEST) if isinstance(entry, dict) else None
        if not (is_inner_path(name) and type(size) is int and isinstance(digest, str)):
            raise ArtifactError(
                f"{where}: files: got {name!r}: {entry!r}, expected a path inside the artifact "
                f"with size and {DIGEST}; make the artifact again"
            )
        table[name] = FileEntry(size, digest)
    return table


def faults(folder: Path, table: FileTable, *, largest: int | None = None) -> Iterator[str]:
    """Compare files with a table, and yield a description of each that differs.

    Args:
        folder: the artifact.
        table: its files.
        largest: the digests of larger files are not compared, only their sizes, and the digest of a
            file that this process has compared before counts. None reads every byte.
    """
    for name, entry in table.items():
        file = folder / name
        try:
            status = file.stat() if file.is_file() else None
            if status is None:
                yield f"{file} is missing, expected {entry.size} bytes"
            elif status.st_size != entry.size:
                yield f"{file} has {status.st_size} bytes, expected {entry.size} bytes"
            elif largest is None or entry.size <= largest:
                yield from _digest_fault(file, entry, status, again=largest is None)
        except OSError as error:
            yield f"{file} cannot be read ({error.strerror})"
        except ArtifactError as error:
            yield str(error)


def _digest_fault(
    file: Path, entry: FileEntry, status: os.stat_result, *, again: bool
) -> Iterator[str]:
    seen = (
        str(file), entry.digest,
        status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns,
    )  # fmt: skip
    if seen in _compared and not again:
        return
    got = hash_file(file, error=ArtifactError)
    if got != entry.digest:
        yield f"{file} is damaged: {DIGEST} {got}, expected {entry.digest}"
    else:
        _compared.add(seen)
