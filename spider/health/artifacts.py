"""Reads every byte of artifacts and compares it with their manifests."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spider.artifacts.artifact import Artifact, writing_verb
from spider.artifacts.folder.file_table import faults, names_below
from spider.artifacts.folder.generation import steady
from spider.artifacts.folder.manifest import MANIFEST, kind_in, read_manifest, sibling
from spider.errors import ArtifactError
from spider.health.finding import Finding
from spider.reading import read_bytes

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
    """

    path: Path
    kind: str
    files: int = 0
    size: int = 0
    damage: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """The command that makes it again."""
        writer = writing_verb(self.kind)
        verb = f"spider {writer} … overwrite=true" if writer else "its verb with overwrite=true"
        return f"make it again ({verb}), or copy it from a backup"


def artifacts_below(place: Path) -> list[Path]:
    """Return the artifacts in a folder: itself, or those of a workspace or of several.

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
                yield Finding("ok", "artifact", f"{place}: {found.files} files as written")


def _search(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / MANIFEST).is_file():
        if not folder.name.endswith((".partial", ".old")):
            yield folder
        return
    if depth and folder.is_dir():
        with os.scandir(folder) as entries:
            below = [Path(entry) for entry in entries if entry.is_dir(follow_symlinks=False)]
        for one in below:
            yield from _search(one, depth - 1)


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
    others = [
        name
        for name in names
        if name not in artifact.files and name != MANIFEST and not name.startswith(".")
    ]
    if others:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        yield f"not of this program: {', '.join(others[:SHOWN])}{more}"
    for suffix, what in (("partial", "an unfinished version"), ("old", "an older version")):
        if os.path.lexists(sibling(artifact.path, suffix)):
            yield f"{sibling(artifact.path, suffix)} is {what} of it"
