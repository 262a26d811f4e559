"""What lies below a folder of anybody: what cannot be read is an entry, and no error."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder that is no folder, links, and folders that cannot be read."""
    errors: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=errors.append):
        links = [name for name in folders if _is_link(Path(place, name))]
        yield from (Path(place, name) for name in [*names, *links])
    # what is gone by now is no folder that cannot be read
    yield from (Path(e.filename) for e in errors if not isinstance(e, FileNotFoundError))


def _is_link(entry: Path) -> bool:
    try:
        return entry.is_symlink()
    except OSError:
        # in a folder that may be listed and not entered
        return False


def size_of(file: Path) -> int:
    """Return the bytes of a file, 0 where they cannot be seen."""
    try:
        return file.lstat().st_size
    except OSError:
        # removed meanwhile, or in a folder that may not be entered
        return 0


def is_folder(entry: Path) -> bool:
    """Return whether an entry is a folder that may be entered, and no link to one."""
    try:
        return entry.is_dir() and not entry.is_symlink()
    except OSError:
        # a folder that may not be entered, or a disk that reports an error
        return False
