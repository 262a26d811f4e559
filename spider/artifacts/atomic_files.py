"""Files that are complete or absent: they are written under another name, flushed, then renamed.

No symbolic link is followed on writing: a link in somebody's folder could name any file.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spider import reading
from spider.errors import ConfigError, DataError, SpiderError

CHUNK = 1 << 20
#: the name of a file that a kill left half written; no complete file is called so
TEMPORARY = re.compile(r"\..+\.tmp")
_SURROGATE = re.compile("[\ud800-\udfff]")


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let ``write`` fill a temporary sibling of ``path``, flush it to disk, and rename it.

    Raises:
        ConfigError: a folder or a device has that name, and a rename would remove it.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path} is not a regular file; choose another place")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with create(temporary) as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def create(path: Path) -> BinaryIO:
    """Open a new file for writing; one of that name, or a link, is removed and not followed."""
    path.unlink(missing_ok=True)
    return path.open("xb")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text; a lone surrogate is replaced, since UTF-8 has no form for it."""
    write_atomically(path, lambda file: file.write(text.encode("utf-8", errors="replace")))


def write_json(path: Path, value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write readable JSON with a final newline; keys keep their order.

    A lone surrogate, as in a name that is not UTF-8, is escaped, so it is read as it was written.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array as ``.npy``, without pickle."""
    write_atomically(path, lambda file: np.save(file, array, allow_pickle=False))


def hash_file(path: Path, *, error: type[SpiderError] = DataError) -> str:
    """Return the BLAKE2b digest of a file, 16 bytes in hexadecimal (``b2sum -l 128``).

    Raises:
        SpiderError: it cannot be read; of the class ``error``.
    """
    digest = hashlib.blake2b(digest_size=16)
    with reading.open_regular(path, error=error) as file, reading.reading(path, error=error):
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def hash_json(value: Any) -> str:
    """Return the BLAKE2b digest of a JSON value, independent of key order."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def flush_tree(folder: Path, *, files: bool = True) -> None:
    """Flush every file and folder below a folder, and the folder itself, to disk.

    Without it, a power failure after a rename can leave a complete name with empty files.

    Args:
        folder: the folder.
        files: false flushes the folders' lists of names alone.
    """
    for place, _, names in os.walk(folder):
        for name in names if files else ():
            flush(Path(place) / name)
        flush(Path(place))


def flush(path: Path) -> None:
    """Flush one file, or one folder's list of names, to disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    except OSError:
        # some network file systems cannot flush a folder
        if path.is_file():
            raise
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed writes left below a folder of this program."""
    for file in list(walk(folder)):
        if TEMPORARY.fullmatch(file.name):
            file.unlink()


def walk(folder: Path) -> Iterator[Path]:
    """Yield every file and every symbolic link below a folder; no link is followed."""
    for place, folders, files in os.walk(folder):
        for name in (*files, *(one for one in folders if (Path(place) / one).is_symlink())):
            yield Path(place) / name
