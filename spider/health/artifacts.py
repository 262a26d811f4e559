"""Reads every byte of artifacts and compares it with their manifests."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spider.artifacts.artifact import Artifact, writing_verb
from spider.artifacts.folder.file_table import faults, names_below
from spider.artifacts.folder.generation import steady
from spider.artifacts.folder.manifest import MANIFEST, kind_in, read_manifest, sibling
from spider.artifacts.folder.replacement import leftovers_in
from spider.errors import ArtifactError
from spider.health.finding import Finding
from spider.printable import counted
from spider.reading import read_bytes, reading

#: a folder of workspaces, a workspace, an artifact
DEPTH = 2
#: undeclared files that are named
SHOWN = 3
MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was found in one artifact.

    Attributes:
        path: its folder.
        kind: its kind; empty where the manifest does not tell.
        files: files in its manifest.
        size: their bytes.
        damage: one sentence for each difference; none where it is as it was written.
        notes: what is no damage: another parent since, a file of a person, an unfinished run.
        readable: false for a folder that cannot be looked into, so that nobody knows whether an
            artifact is there; ``damage`` says why.
    """

    path: Path
    kind: str
    files: int = 0
    size: int = 0
    damage: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    readable: bool = True

    @property
    def remedy(self) -> str:
        """The command that makes it again, or lets it be read."""
        if not self.readable:
            return f"chmod u+rx {self.path} where it is yours, or name a folder inside"
        writer = writing_verb(self.kind)
        verb = f"spider {writer} … overwrite=true" if writer else "its verb with overwrite=true"
        return f"make it again ({verb}), or copy it from a backup"


def artifacts_below(place: Path) -> list[Path]:
    """Return the artifacts in a folder: itself, or those of a workspace or of several.

    A sub-folder that cannot be looked into is among them: it is reported, and hides no other.

    Raises:
        ArtifactError: there is none.
    """
    found = sorted(_search(place, DEPTH))
    if not found:
        raise ArtifactError(
            f"{place}: no artifact here; give a workspace, or the folder of an artifact"
        )
    return found


def verify(path: Path) -> Verification:
    """Compare an artifact with its manifest; every byte is read, and nothing is written.

    Raises:
        ArtifactError: another command replaces it again and again in the meantime.
    """
    return steady(path, lambda: _verify(path))


def _verify(path: Path) -> Verification:
    try:
        artifact = Artifact(path, read_manifest(path))
        table = artifact.files
    except ArtifactError as error:
        try:
            _look(path)
        except ArtifactError as unreadable:
            # what permits reading a folder is said in the remedy
            said = str(unreadable).partition(";")[0]
            return Verification(path=path, kind="", damage=(said,), readable=False)
        return Verification(path=path, kind=_kind(path), damage=(str(error),))
    return Verification(
        path=path,
        kind=artifact.kind,
        files=len(table),
        size=sum(entry.size for entry in table.values()),
        damage=tuple(faults(path, table)),
        notes=tuple(_notes(artifact)),
    )


class ArtifactsCheck:
    """The artifacts of a workspace, every byte of them.

    Args:
        workspace: the workspace; null examines none.
    """

    def __init__(self, *, workspace: Path | None = None):
        self.workspace = workspace

    def findings(self) -> Iterator[Finding]:
        """Compare each artifact with its manifest."""
        if self.workspace is None:
            return
        try:
            places = artifacts_below(self.workspace)
        except ArtifactError as error:
            yield Finding("warn", "artifact", str(error), "workspace=FOLDER names another one")
            return
        for place in places:
            found = verify(place)
            for damage in found.damage:
                yield Finding("fail", "artifact", damage, found.remedy)
            if not found.damage:
                yield Finding(
                    "ok", "artifact", f"{place}: {counted(found.files, 'file')} as written"
                )


def _search(folder: Path, depth: int) -> Iterator[Path]:
    try:
        is_artifact, below = _look(folder)
    except ArtifactError:
        yield folder
        return
    if is_artifact:
        if not folder.name.endswith((".partial", ".old")):
            yield folder
    elif depth:
        for one in below:
            yield from _search(one, depth - 1)


def _look(folder: Path) -> tuple[bool, list[Path]]:
    """Return whether a folder has a manifest, and its sub-folders if it has none.

    Raises:
        ArtifactError: it cannot be looked into.
    """
    with reading(folder, error=ArtifactError):
        if (folder / MANIFEST).is_file():
            return True, []
        if not folder.is_dir():
            return False, []
        with os.scandir(folder) as entries:
            return False, [Path(entry) for entry in entries if _may_be_folder(entry)]


def _may_be_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        # the disk reports an error, or a network file system is gone
        return True


def _kind(path: Path) -> str:
    try:
        return kind_in(read_bytes(path / MANIFEST, error=ArtifactError))
    except ArtifactError:
        return ""


def _notes(artifact: Artifact) -> Iterator[str]:
    for name in artifact.manifest["inputs"]:
        parent = artifact.parent_path(name)
        try:
            content_hash = read_manifest(parent)["content_hash"]
        except ArtifactError:
            yield f"its {name} {parent} is not there, or damaged"
            continue
        if content_hash != artifact.parent_hash(name):
            yield f"its {name} {parent} changed since; the next run of its command makes it again"
    try:
        names = names_below(artifact.path)
    except ArtifactError as error:
        yield str(error)
        names = []
    leftovers = {place.name for place in leftovers_in(artifact.path)}
    others = [
        name
        for name in names
        if name not in artifact.files
        and name != MANIFEST
        and not name.startswith(".")
        and name.split("/")[0] not in leftovers
    ]
    if others:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        yield f"not of this program: {', '.join(others[:SHOWN])}{more}"
    for suffix, what in (("partial", "an unfinished version"), ("old", "an older version")):
        if os.path.lexists(sibling(artifact.path, suffix)):
            yield f"{sibling(artifact.path, suffix)} is {what} of it"
