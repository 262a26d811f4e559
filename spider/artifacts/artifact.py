"""Artifacts: folders with a manifest, which a verb writes completely or not at all.

``content_hash`` covers the payload and the resolved configuration, so artifacts made twice from the
same inputs have equal hashes, whatever the time, the host or the folder's name. The manifest of an
artifact records the hash of each of its inputs.
:mod:`spider.artifacts.stage` writes them.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import read_json
from spider.errors import ArtifactError

SCHEMA = 1
MANIFEST = "manifest.json"
LOCK = ".lock"
FINGERPRINT = ".fingerprint.json"
#: the manifest's entry for the sub-folders that a stage needs until its artifact is complete
LEFTOVERS = "leftovers"
#: what every manifest has
ENTRIES = {
    "kind", "variant", "content_hash", "fingerprint", "config", "inputs", "counts", "details",
    "files",
}  # fmt: skip
#: the package with one file for each kind, named after it
KINDS = "spider.artifacts.records"


class Artifact:
    """A complete artifact folder, opened for reading.

    Attributes:
        path: the folder.
        manifest: the content of ``manifest.json``.
    """

    def __init__(self, path: Path, manifest: Mapping[str, Any]):
        self.path = path
        self.manifest = manifest

    @property
    def kind(self) -> str:
        """The kind: corpus, spans, encoder, embeddings, index, run, report, questions or reader."""
        return str(self.manifest["kind"])

    @property
    def content_hash(self) -> str:
        """Digest of the payload and the resolved configuration."""
        return str(self.manifest["content_hash"])

    @property
    def variant(self) -> str:
        """The file in the family's package that loads it; empty when the family has none."""
        return str(self.manifest["variant"])

    @property
    def counts(self) -> Mapping[str, Any]:
        """Numbers of items read, kept and skipped."""
        return dict(self.manifest["counts"])

    @property
    def details(self) -> Mapping[str, Any]:
        """The JSON object behind the kind's record; see :mod:`spider.artifacts.records`."""
        return dict(self.manifest["details"])

    @property
    def config(self) -> Mapping[str, Any]:
        """The resolved configuration of the verb."""
        return dict(self.manifest["config"])

    def parent_hash(self, name: str) -> str:
        """Return the content hash that the input of that name had.

        Raises:
            ArtifactError: the artifact was made without such an input.
        """
        return str(self._input(name)["content_hash"])

    def parent(self, name: str) -> "Artifact":
        """Open the input of that name, and check that it is still the one that was read.

        Raises:
            ArtifactError: there is no such input, it was deleted, or its content changed since.
        """
        record = self._input(name)
        parent = open_artifact(self.path / record["path"], kind=record["kind"])
        if parent.content_hash != record["content_hash"]:
            raise ArtifactError(
                f"{self.path} was made from another {name}: {parent.path} has content hash "
                f"{parent.content_hash}, expected {record['content_hash']}; make it again"
            )
        return parent

    def _input(self, name: str) -> Mapping[str, Any]:
        inputs: Mapping[str, Mapping[str, Any]] = self.manifest["inputs"]
        if name not in inputs:
            raise ArtifactError(f"{self.path} has no input {name!r}; it has {sorted(inputs)}")
        return inputs[name]


def open_artifact(path: Path, *, kind: str | None = None) -> Artifact:
    """Open a complete artifact.

    Args:
        path: the folder.
        kind: the kind that it has to be, if given.

    Raises:
        ArtifactError: the folder is missing, unfinished, damaged, of another schema or kind.
    """
    recover(path)
    if not (path / MANIFEST).is_file():
        raise ArtifactError(_absence(path, kind))
    try:
        manifest = read_json(path / MANIFEST)
    except ValueError as error:
        raise ArtifactError(f"{path / MANIFEST} is not JSON: {error}") from error
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if schema != SCHEMA:
        raise ArtifactError(f"{path}: manifest schema {schema!r}, expected {SCHEMA}; make it again")
    missing = sorted(ENTRIES - manifest.keys())
    if missing:
        raise ArtifactError(f"{path / MANIFEST} lacks {missing}; make {path.name} again")
    if kind is not None and manifest["kind"] != kind:
        raise ArtifactError(f"{path}: this is a {manifest['kind']} artifact, expected a {kind}")
    for name, size in manifest["files"].items():
        file = path / name
        got = file.stat().st_size if file.is_file() else None
        if got != size:
            state = "is missing" if got is None else f"has {got} bytes"
            raise ArtifactError(f"{file} {state}, expected {size} bytes; make {path.name} again")
    _unlock(path)
    return Artifact(path, manifest)


def recover(path: Path) -> None:
    """Finish a replacement that was killed between its two renames."""
    if path.exists():
        return
    for candidate in (sibling(path, "partial"), sibling(path, "old")):
        if (candidate / MANIFEST).is_file():
            # before the rename, so that after a kill opening removes everything that is left
            discard(candidate, _leftovers(candidate), locked=True)
            candidate.rename(path)
            discard(path, ())
            return


def discard(folder: Path, leftovers: Sequence[str], *, locked: bool = False) -> None:
    """Remove what a stage needed until its artifact was complete; part may be removed already.

    Args:
        folder: the artifact.
        leftovers: sub-folders from which an interrupted run would have resumed.
        locked: keep the lock, which keeps others out until the folder has its final name.
    """
    for name in leftovers:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (FINGERPRINT,) if locked else (FINGERPRINT, LOCK):
        (folder / name).unlink(missing_ok=True)


def _unlock(folder: Path) -> None:
    """Remove the lock that a kill right after the rename left; a read-only artifact keeps it."""
    if (folder / LOCK).exists():
        with suppress(OSError):
            discard(folder, ())


def _leftovers(folder: Path) -> list[str]:
    try:
        return list(read_json(folder / MANIFEST).get(LEFTOVERS, []))
    except (ValueError, AttributeError):
        return []  # opening it reports the error


def writing_verb(kind: str) -> str:
    """Return the verb that writes a kind of artifact; empty if there is no such kind."""
    name = f"{KINDS}.{kind}"
    if not (kind.isidentifier() and find_spec(name)):
        return ""
    return str(import_module(name).WRITER)


def _absence(path: Path, kind: str | None) -> str:
    wanted = "artifact" if kind is None else f"{kind} artifact"
    writer = writing_verb(kind or "")
    fix = f"spider {writer} writes it" if writer else "run the verb that writes it first"
    if sibling(path, "partial").exists():
        return f"{path}: unfinished {wanted}; run the command that writes it again to continue"
    if path.exists():
        return f"{path}: no {MANIFEST} here, so this is not a {wanted}"
    return f"{path}: no such {wanted}; {fix}, and spider quickstart [FOLDER] takes every step"


def sibling(path: Path, suffix: str) -> Path:
    """Return the folder beside an artifact that holds its unfinished or its replaced version."""
    return path.with_name(f"{path.name}.{suffix}")
