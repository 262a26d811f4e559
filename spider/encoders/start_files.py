"""Fingerprints of the local files that training starts from: weights and vocabularies."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import hash_file

HASHED_BYTES = 64 << 20
"""A larger file is described by its size and modification time: hashing it takes seconds."""


def fingerprint_start_files(starts: Iterable[str]) -> dict[str, Any]:
    """Describe the files' content, so that an encoder trained from changed files counts as stale.

    Args:
        starts: folders, files, or names on the hub; "" is none.

    Returns:
        For each local file its path below its start, and its digest; for a name on the hub the
        name.
    """
    found: dict[str, Any] = {}
    for number, start in enumerate(start for start in starts if start):
        root = Path(start).expanduser()
        if not root.exists():
            found[f"{number}"] = start
        for file in [root] if root.is_file() else sorted(root.rglob("*")):
            if file.is_file():
                found[f"{number}:{file.relative_to(root).as_posix()}"] = _state(file)
    return found


def _state(file: Path) -> Any:
    status = file.stat()
    if status.st_size > HASHED_BYTES:
        return [status.st_size, status.st_mtime_ns]
    return hash_file(file)
