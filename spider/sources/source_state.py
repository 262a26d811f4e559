"""The state of a source: a value that changes with its content, its path, and later changes."""

import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spider.artifacts.artifact import Artifact
from spider.errors import SpiderError
from spider.printable import counted
from spider.reading import open_regular, parse_json, reading
from spider.sources.document_source import FileRecord
from spider.sources.folder import Folder
from spider.sources.preparation import RECORDS, SOURCES

FILES = 2000
"""Files, and folders, that are looked at: 20 ms. In a larger folder, later ones are not checked."""
LARGEST_RECORDS = 16 << 20
"""Bytes of the records of files that are read: about 100,000 files."""


def fingerprint_of(source: object) -> Any:
    """Return ``source.fingerprint()``; None for a source without this method."""
    take = getattr(source, "fingerprint", None)
    return None if take is None else take()


def place_of(source: object) -> Any:
    """Return a source's ``path`` as a JSON value; None for a source that has none.

    The same documents under another path are the same content, so the path is not part of a content
    hash. It is recorded in the volatile part of the manifest, absolute where there is such a file
    or folder, so that it is found from another current folder too.
    """
    path = getattr(source, "path", None)
    if path is None:
        return None
    return [_absolute(one) for one in path] if isinstance(path, list | tuple) else _absolute(path)


def _absolute(path: Any) -> str:
    # Path.expanduser raises where ~NAME is no user; a name on a hub is no file
    place = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111
    return place if os.path.exists(place) else str(path)  # noqa: PTH110


def staleness(corpus: Artifact) -> str:
    """Return one line that says what has changed since a corpus was read; empty if nothing has.

    Only what can be found cheaply is looked for. No file is opened.

    Args:
        corpus: the corpus.
    """
    volatile = corpus.manifest.get("volatile", {})
    place = volatile.get("place")
    try:
        if isinstance(place, str) and Path(place).is_dir():
            return _folder(corpus, Path(place))
        places = place if isinstance(place, list) else [place]
        return _files([Path(one) for one in places if isinstance(one, str)], volatile)
    except (SpiderError, OSError, ValueError, TypeError):
        # a hint that cannot be given is no reason to stop a search
        return ""


def _folder(corpus: Artifact, place: Path) -> str:
    records = _records(corpus.path / SOURCES / RECORDS)
    if records is None:
        return ""
    source = corpus.config.get("source", {})
    exclude = source.get("exclude") if isinstance(source, Mapping) else None
    folder = Folder(path=place) if exclude is None else Folder(path=place, exclude=tuple(exclude))
    seen: set[str] = set()
    changed: list[str] = []
    complete = True
    for number, entry in enumerate(folder.entries(most_folders=FILES)):
        if number == FILES:
            complete = False
            break
        seen.add(entry.id)
        before = records.get(entry.id)
        if entry.reason or entry.path.suffix.lower() not in folder.suffixes:
            continue
        if before is None or (before.size, before.modified) != (entry.size, entry.modified):
            changed.append(entry.id)
    if complete and not folder.cut_short:
        gone = (
            name for name in records.keys() - seen if Path(name).suffix.lower() in folder.suffixes
        )
        changed += sorted(gone)
    return _line(changed, place)


def _records(file: Path) -> dict[str, FileRecord] | None:
    """Return the records of files by id; None if a corpus has none, or too many."""
    if not file.is_file() or file.stat().st_size > LARGEST_RECORDS:
        return None
    with open_regular(file) as stream, reading(file, foreign=True):
        records = [FileRecord(*parse_json(line, file)) for line in stream]
    # a corpus that was made before records had sizes
    return None if any(record.size < 0 for record in records) else {r.id: r for r in records}


def _files(files: list[Path], volatile: Mapping[str, Any]) -> str:
    finished = datetime.datetime.fromisoformat(volatile["finished"]).timestamp()
    begun = finished - float(volatile.get("seconds", 0))
    changed = [
        str(file) for file in files[:FILES] if file.is_file() and file.stat().st_mtime > begun
    ]
    return _line(changed, files[0]) if changed else ""


def _line(changed: list[str], place: Path) -> str:
    if not changed:
        return ""
    what = counted(len(changed), "file")
    return (
        f"the index is older than {place}: {what} changed, added or deleted (such as"
        f" {changed[0]}); spider quickstart, or the stages from spider prepare on, update it"
    )
