"""What lies in a workspace, and its removal: only what this program wrote, no link followed."""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import TEMPORARY
from spider.artifacts.folder.file_table import from_json
from spider.artifacts.folder.listing import files_below, is_folder, size_of
from spider.artifacts.folder.manifest import FILES, MANIFEST, has_manifest, read_manifest
from spider.artifacts.folder.replacement import (
    BOOKKEEPING,
    LOCK,
    fingerprint_of,
    leftovers_in,
    marker_of,
)
from spider.errors import ArtifactError
from spider.reading import list_folder

PARTIAL, OLD = ".partial", ".old"
DEEPEST = 1
"""Folders inside of a workspace that are looked into: ``nq/run`` is the deepest of a pipeline."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """One folder with artifacts.

    At least one artifact lies directly in it: a folder of workspaces is no workspace.

    Attributes:
        path: the folder.
        artifacts: paths of the artifacts in it, complete or not, relative to it.
        foreign: paths of what this program did not write, relative to it.
        size: bytes of all files in it; links are not followed.
        changed: time of the last change of an artifact, in seconds since 1970.
        source: the path that the documents were read from, or the name of their source.
    """

    path: Path
    artifacts: tuple[str, ...]
    foreign: tuple[str, ...]
    size: int
    changed: float
    source: str

    @property
    def is_workspace(self) -> bool:
        """Whether an artifact lies directly in the folder."""
        return any("/" not in name for name in self.artifacts)


def workspaces_in(root: Path) -> list[Workspace]:
    """Return the workspaces in a folder, by name."""
    if not root.is_dir():
        return []
    entries = list_folder(root, error=ArtifactError)
    found = (look_into(entry) for entry in entries if is_folder(entry))
    return [one for one in found if one.is_workspace]


def look_into(workspace: Path) -> Workspace:
    """Return what lies in a folder."""
    artifacts: list[str] = []
    foreign: list[str] = []
    for entry, ours in _entries(workspace, DEEPEST):
        (artifacts if ours else foreign).append(entry.relative_to(workspace).as_posix())
    places = [workspace / name for name in artifacts]
    return Workspace(
        path=workspace,
        artifacts=tuple(artifacts),
        foreign=tuple(foreign),
        size=sum(map(size_of, files_below(workspace))),
        changed=max((place.lstat().st_mtime for place in places), default=0.0),
        source=next((name for place in places if (name := _source(place))), ""),
    )


def removable(workspace: Path) -> Workspace:
    """Return what lies in a workspace that can be removed.

    Raises:
        ArtifactError: there is no such workspace, no artifact in it, or it is a link.
    """
    if workspace.is_symlink():
        raise ArtifactError(f"{workspace}: a symbolic link, which is not followed; rm removes it")
    if not is_folder(workspace):
        raise ArtifactError(f"{workspace}: no such workspace; spider workspaces lists them")
    found = look_into(workspace)
    if not found.is_workspace:
        raise ArtifactError(
            f"{workspace}: no artifact of this program lies in it, so nothing is removed"
        )
    return found


def remove(workspace: Path) -> list[Path]:
    """Remove the artifacts of a workspace, and the workspace where nothing else is in it.

    Returns:
        What was left, since this program did not write it.

    Raises:
        ArtifactError: there is no artifact, the folder is a link, or an artifact is being written.
    """
    found = removable(workspace)
    with ExitStack() as locks:
        for name in found.artifacts:
            _lock(workspace / name, locks)
        for name in found.artifacts:
            _remove_artifact(workspace / name)
    _remove_empty_folders(workspace)
    return sorted(files_below(workspace))


def _entries(folder: Path, deepest: int) -> Iterator[tuple[Path, bool]]:
    """Yield artifacts, with true, and other files and folders, with false."""
    try:
        entries = list_folder(folder, error=ArtifactError)
    except ArtifactError as error:
        # one folder that may not be read hides no other workspace
        logger.warning("%s", error)
        yield folder, False
        return
    for entry in entries:
        if not is_folder(entry):
            yield entry, False
        elif _is_ours(entry):
            yield entry, True
        elif deepest and not entry.name.endswith((PARTIAL, OLD)):
            yield from _entries(entry, deepest - 1)
        else:
            yield entry, False


def _is_ours(folder: Path) -> bool:
    if folder.name.endswith(PARTIAL):
        return fingerprint_of(folder) is not None
    if folder.name.endswith(OLD):
        return marker_of(folder) is not None
    return _manifest(folder) is not None


def _manifest(folder: Path) -> dict[str, Any] | None:
    if not has_manifest(folder) or (folder / MANIFEST).is_symlink():
        return None
    try:
        return read_manifest(folder)
    except ArtifactError:
        return None


def _source(artifact: Path) -> str:
    manifest = _manifest(artifact)
    if manifest is None or manifest["kind"] != "corpus":
        return ""
    if place := manifest["volatile"].get("place"):
        return ", ".join(map(str, place)) if isinstance(place, list) else str(place)
    source = manifest["config"].get("source")
    target = source.get("_target_", "") if isinstance(source, dict) else ""
    return str(target).rpartition(".")[2]


def _lock(artifact: Path, locks: ExitStack) -> None:
    """Hold the lock of an artifact, if it has one, so that no writer starts in the meantime."""
    try:
        descriptor = os.open(artifact / LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    locks.callback(os.close, descriptor)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError as error:
        raise ArtifactError(
            f"{artifact} is being written by another process; nothing was removed"
        ) from error


def _remove_artifact(folder: Path) -> None:
    manifest = _manifest(folder)
    if manifest is not None:
        remove_files(folder, manifest)
    elif folder.name.endswith((PARTIAL, OLD)) and _is_ours(folder):
        # unfinished or replaced: the whole folder bears our record
        shutil.rmtree(folder)


def remove_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Remove what a manifest declares, and the manifest; other files stay, with their folders."""
    declared = set(from_json(manifest[FILES], where=folder))
    leftovers = {place.name for place in leftovers_in(folder)}
    # the manifest last, so that after a kill the rest is still known to be ours
    for file in sorted(files_below(folder), key=lambda file: file == folder / MANIFEST):
        name = file.relative_to(folder).as_posix()
        ours = (
            name in declared
            or name in BOOKKEEPING
            or name.split("/")[0] in leftovers
            or TEMPORARY.fullmatch(file.name)
        )
        if ours and not file.is_symlink() and not file.is_dir():
            file.unlink()
    _remove_empty_folders(folder)


def _remove_empty_folders(folder: Path) -> None:
    """Remove a folder and those below it that hold nothing."""
    for place, _, _ in os.walk(folder, topdown=False):
        if not any(Path(place).iterdir()):
            Path(place).rmdir()
