"""Artifacts: folders with a manifest, which a verb writes completely or not at all.

``content_hash`` covers the payload and the resolved configuration, so artifacts made twice from the
same inputs have equal hashes, whatever the time, the host or the folder's name. The manifest of an
artifact records the hash of each of its inputs.
:mod:`spider.artifacts.stage` writes them. Reading writes and deletes nothing.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spider.artifacts.folder import file_table
from spider.artifacts.folder.file_table import FileEntry
from spider.artifacts.folder.generation import Generation, generation_of, steady
from spider.artifacts.folder.manifest import (
    FILES,
    MANIFEST,
    has_manifest,
    read_manifest,
    sibling,
)
from spider.errors import ArtifactError

#: the package with one file for each kind, named after it
KINDS = "spider.artifacts.records"


class Artifact:
    """A complete artifact folder, opened for reading.

    Args:
        path: the folder.
        manifest: the content of ``manifest.json``.
        generation: which of the artifacts that lie there one after the other this is; None leaves
            that open.
    """

    def __init__(
        self, path: Path, manifest: Mapping[str, Any], generation: Generation | None = None
    ):
        self.path = path
        self.manifest = manifest
        self._generation = generation

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

    @property
    def files(self) -> Mapping[str, FileEntry]:
        """The files that the writer declared."""
        return file_table.from_json(self.manifest[FILES], where=self.path)

    def parent_hash(self, name: str) -> str:
        """Return the content hash that the input of that name had.

        Raises:
            ArtifactError: the artifact was made without such an input.
        """
        return str(self._input(name)["content_hash"])

    def parent_path(self, name: str) -> Path:
        """Return the folder of the input of that name.

        Raises:
            ArtifactError: the artifact was made without such an input.
        """
        return self.path / str(self._input(name)["path"])

    def parent(self, name: str) -> "Artifact":
        """Open the input of that name, and check that it is still the one that was read.

        Raises:
            ArtifactError: there is no such input, it was deleted, or its content changed since.
        """
        parent = open_artifact(self.parent_path(name), kind=self._input(name)["kind"])
        parent.require_content(self.parent_hash(name), f"{self.path} was made from another {name}")
        return parent

    def require_content(self, content_hash: str, problem: str) -> None:
        """Check the content hash.

        Args:
            content_hash: the expected one.
            problem: what another one means.

        Raises:
            ArtifactError: it is another one.
        """
        if self.content_hash != content_hash:
            raise ArtifactError(
                f"{problem}: {self.path} has content hash {self.content_hash}, expected "
                f"{content_hash}; make it again"
            )

    def require_current(self) -> None:
        """Check, after its files were opened, that no other artifact took this one's place.

        A class that opens files of an artifact calls it last, so that all are of one artifact.

        Raises:
            ArtifactError: another artifact lies there now.
        """
        if self._generation is not None and generation_of(self.path) != self._generation:
            raise ArtifactError(
                f"{self.path} was replaced by another command while it was read; run this one again"
            )

    def _input(self, name: str) -> Mapping[str, Any]:
        inputs: Mapping[str, Mapping[str, Any]] = self.manifest["inputs"]
        if name not in inputs:
            raise ArtifactError(f"{self.path} has no input {name!r}; it has {sorted(inputs)}")
        return inputs[name]


def open_artifact(path: Path, *, kind: str | None = None) -> Artifact:
    """Open a complete artifact; its small files are compared with its table of files.

    Args:
        path: the folder.
        kind: the kind that it has to be, if given.

    Raises:
        ArtifactError: the folder is missing, unfinished, damaged, of another schema or kind.
    """
    return steady(path, lambda: _open(path, kind))


def _open(path: Path, kind: str | None) -> Artifact:
    generation = generation_of(path)
    if generation is None:
        raise ArtifactError(_absence(path, kind))
    artifact = Artifact(path, read_manifest(path), generation)
    if kind is not None and artifact.kind != kind:
        raise ArtifactError(f"{path}: this is a {artifact.kind} artifact, expected a {kind}")
    for fault in file_table.faults(path, artifact.files, largest=file_table.SMALL):
        raise ArtifactError(f"{fault}; make {path.name} again")
    return artifact


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
        return f"{path}: no {MANIFEST} here, so this is no {wanted}"
    if has_manifest(sibling(path, "old")):
        return (
            f"{path}: no such {wanted}; {sibling(path, 'old')} is an older one, which is used only "
            f"after you rename it to {path.name}; {fix}"
        )
    return f"{path}: no such {wanted}; {fix}, and spider quickstart [FOLDER] takes every step"
