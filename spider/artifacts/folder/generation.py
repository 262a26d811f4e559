"""One generation per reader: what is read from an artifact comes from one folder, never from two.

A writer replaces a folder by two renames and never changes a file in it, so two looks at the
manifest tell whether everything between them came from one folder.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from spider.artifacts.folder.manifest import MANIFEST, has_manifest, sibling
from spider.errors import ArtifactError

Read = TypeVar("Read")

#: seconds that a reader waits for the second rename of a replacement, or reads again
PATIENCE = 1.0
PAUSE = 0.02


class Generation(NamedTuple):
    """Identity of the artifact in a folder; no two artifacts there have the same.

    Attributes:
        device: of the manifest.
        inode: of the manifest.
        modified: its time in nanoseconds, since an inode's number is used again.
    """

    device: int
    inode: int
    modified: int


def generation_of(path: Path) -> Generation | None:
    """Return which artifact lies in a folder now; None where there is none."""
    try:
        status = (path / MANIFEST).stat()
    except (OSError, ValueError):
        return None
    return Generation(status.st_dev, status.st_ino, status.st_mtime_ns)


def steady(
    path: Path, read: Callable[[], Read], *, discard: Callable[[Read], None] | None = None
) -> Read:
    """Read from an artifact; where it was replaced meanwhile, read again.

    Args:
        path: the artifact's folder.
        read: opens or reads its files; may fail in any way where they are replaced meanwhile.
        discard: releases what was read of an artifact that is no longer there.

    Raises:
        ArtifactError: the artifact is replaced again and again.
    """
    end = time.monotonic() + PATIENCE
    while True:
        before = generation_of(path)
        if before is None and _between_renames(path) and time.monotonic() < end:
            time.sleep(PAUSE)
            continue
        try:
            result = read()
        except Exception:
            if generation_of(path) == before or time.monotonic() >= end:
                raise
        else:
            if generation_of(path) == before:
                return result
            if discard is not None:
                discard(result)
        if time.monotonic() >= end:
            raise ArtifactError(
                f"{path} is replaced by another command while it is read; run this one again"
            )
        time.sleep(PAUSE)


def _between_renames(path: Path) -> bool:
    """Return whether a writer may be about to rename the new folder."""
    return not os.path.lexists(path) and has_manifest(sibling(path, "partial"))
