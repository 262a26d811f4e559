"""What an encoder starts from, where that lies in local files: their content, not their place."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import hash_file

HASHED_BYTES = 64 << 20
"""A larger file is known by its size and modification time: hashing it takes seconds."""


def fingerprint_sources(sources: Iterable[str]) -> dict[str, Any]:
    """Describe the files of local sources, so that changed ones make what came of them stale.

    Args:
        sources: folders, files, or names on the hub; the latter have no part in it.

    Returns:
        For each file its path below its source, and its digest; empty without a local source.
    """
    roots = [Path(source).expanduser() for source in sources if source]
    return {
        f"{number}:{file.relative_to(root).as_posix()}": _state(file)
        for number, root in enumerate(roots)
        for file in ([root] if root.is_file() else sorted(root.rglob("*")))
        if file.is_file()
    }


def _state(file: Path) -> Any:
    status = file.stat()
    if status.st_size > HASHED_BYTES:
        return [status.st_size, status.st_mtime_ns]
    return hash_file(file)
