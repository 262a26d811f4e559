"""Walks a folder: what cannot be read is an entry with a reason, and the walk continues."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from spider.errors import DataError
from spider.reading import describe

Listing = tuple[list[os.DirEntry[str]], list[os.DirEntry[str]]]


class Entry(NamedTuple):
    r"""A file, or a folder that cannot be entered.

    Attributes:
        path: its path.
        id: its path relative to the folder, with ``/``. Bytes that are not UTF-8 are written as
            ``\xe9``, so that ids differ where names differ.
        reason: why it is not read; empty for a regular file.
        hint: how to make it readable.
        size: bytes.
        modified: time of the last modification, in ns.
    """

    path: Path
    id: str
    reason: str = ""
    hint: str = ""
    size: int = 0
    modified: int = 0


def walk(folder: Path, enters: Callable[[Path], bool]) -> Iterator[Entry]:
    """Yield the files under a folder by name; its own files come before its sub-folders.

    Hidden files and folders are left out. Links to files are followed, links to folders are not,
    since they may lead back.

    Args:
        folder: the folder.
        enters: whether to enter a sub-folder.

    Raises:
        DataError: there is no such folder, or it cannot be read.
    """
    try:
        waiting: list[tuple[Path, str, Listing | None]] = [(folder, "", _list(folder))]
    except OSError as error:
        said = describe(error)
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            holder = f"is a file; give the folder that holds it, {folder.parent}"
            said = holder if folder.exists() else "does not exist"
        raise DataError(f"expected a folder of documents; this {said}", path=folder) from error
    taken: set[str] = set()
    # a stack, since os.walk recurses in Python 3.11 and stops at 1,000 nested folders
    while waiting:
        here, place, listed = waiting.pop()
        try:
            files, folders = listed or _list(here)
        except OSError as error:
            yield Entry(here, _printable(place), "unreadable_folder", describe(error) or "")
            continue
        for item in files:
            entry = _entry(item, place)
            # two names that differ only in bytes that are not UTF-8 may be written alike
            if "\\" in entry.id:
                if entry.id in taken:
                    entry = entry._replace(reason="same_name", hint="rename the file")
                taken.add(entry.id)
            yield entry
        inner = [item for item in folders if enters(Path(item.path))]
        for item in inner:
            if item.is_symlink():
                name = _printable(f"{place}{item.name}")
                yield Entry(Path(item.path), name, "folder_link", "give that folder itself")
        waiting += [
            (Path(item.path), f"{place}{item.name}/", None)
            for item in reversed(inner)
            if not item.is_symlink()
        ]


def _list(folder: Path) -> Listing:
    """Return the files and the sub-folders of a folder, sorted by name."""
    files: list[os.DirEntry[str]] = []
    folders: list[os.DirEntry[str]] = []
    with os.scandir(folder) as items:
        for item in sorted(items, key=lambda item: item.name):
            if not item.name.startswith("."):
                (folders if _is_folder(item) else files).append(item)
    return files, folders


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:
        # a link without end, or one into a folder that may not be entered
        return False


def _entry(item: os.DirEntry[str], place: str) -> Entry:
    path, identity = Path(item.path), _printable(f"{place}{item.name}")
    try:
        found = item.stat()
    except OSError as error:
        # a link to nothing is no file; a file that another program has just deleted is gone
        gone = isinstance(error, FileNotFoundError) and not item.is_symlink()
        reason = "vanished" if gone else "not_a_file" if item.is_symlink() else "unreadable"
        return Entry(path, identity, reason, describe(error) or "")
    if not stat.S_ISREG(found.st_mode):
        return Entry(path, identity, "not_a_file")
    return Entry(path, identity, "", "", found.st_size, found.st_mtime_ns)


def _printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", errors="backslashreplace")
