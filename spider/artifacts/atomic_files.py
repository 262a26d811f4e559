"""Files that are complete or absent: they are written under another name, flushed, then renamed."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spider.errors import ConfigError

CHUNK = 1 << 20


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let ``write`` fill a temporary sibling of ``path``, flush it to disk, and rename it.

    Raises:
        ConfigError: a folder or a device has that name, and a rename would remove it.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path} is not a regular file; choose another place")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text; a lone surrogate is replaced, since UTF-8 has no form for it."""
    write_atomically(path, lambda file: file.write(text.encode("utf-8", errors="replace")))


def write_json(path: Path, value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write readable JSON with a final newline; keys keep their order."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array as ``.npy``, without pickle."""
    write_atomically(path, lambda file: np.save(file, array, allow_pickle=False))


def hash_file(path: Path) -> str:
    """Return the BLAKE2b digest of a file, 16 bytes in hexadecimal."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def hash_json(value: Any) -> str:
    """Return the BLAKE2b digest of a JSON value, independent of key order."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
