"""Artifacts: folders that a verb writes whole or not at all, each with a manifest.

A stage writes into ``NAME.partial/``, which holds a lock and the fingerprint of what is being
made; the folder is renamed when it is whole. A replaced artifact steps aside as ``NAME.old``
until the new one stands, and opening either of them recovers from a kill between the two renames.

``content_hash`` covers the payload and the resolved configuration, so artifacts made twice from
the same inputs are equal whatever the clock, the host or the folder's name; the manifest of a
child records the hash of each of its parents, which makes a chain.
"""

import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import IO, Any

from spider.atomic_files import hash_file, hash_json, read_json, write_json
from spider.errors import ArtifactError, ConfigError
from spider.provenance import provenance

SCHEMA = 1
MANIFEST = "manifest.json"
LOCK = ".lock"
FINGERPRINT = ".fingerprint.json"
#: what every manifest has
ENTRIES = {
    "kind", "variant", "content_hash", "fingerprint", "config", "inputs", "counts", "details",
    "files",
}  # fmt: skip
#: the verb that writes each kind
WRITERS = {
    "corpus": "prepare",
    "questions": "prepare-questions",
    "spans": "mine",
    "encoder": "train",
    "embeddings": "embed",
    "index": "build",
    "run": "search",
    "report": "evaluate-retrieval",
}
BOOKKEEPING = {MANIFEST, LOCK, FINGERPRINT}

logger = logging.getLogger(__name__)


class Artifact:
    """A whole artifact folder, opened for reading.

    Attributes:
        path: the folder.
        manifest: ``manifest.json`` as it stands.
    """

    def __init__(self, path: Path, manifest: Mapping[str, Any]):
        self.path = path
        self.manifest = manifest

    @property
    def kind(self) -> str:
        """The noun: corpus, spans, encoder, embeddings, index, run, report, questions."""
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
        """What was read, kept and skipped."""
        return dict(self.manifest["counts"])

    @property
    def details(self) -> Mapping[str, Any]:
        """What a reader of the payload has to know."""
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
            ArtifactError: there is no such input, it is gone, or its content changed since.
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
    """Open a whole artifact.

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
    return Artifact(path, manifest)


def recover(path: Path) -> None:
    """Finish a replacement that was killed between its two renames."""
    if path.exists():
        return
    for candidate in (_sibling(path, "partial"), _sibling(path, "old")):
        if (candidate / MANIFEST).is_file():
            candidate.rename(path)
            return


class Stage:
    """One run of a verb: knows whether its output is already whole, and writes it if not.

    Args:
        verb: the verb, as typed.
        kind: the kind of artifact that it writes.
        output: the artifact's folder.
        config: the resolved configuration, without paths: what, beside the inputs, decides the
            content.
        inputs: the artifacts that are read.
        overwrite: replace an output that was made from other settings or inputs.
        fingerprint_extra: what else makes an output stale and is no part of its content, such as
            the modification times of source files.
    """

    def __init__(
        self,
        *,
        verb: str,
        kind: str,
        output: Path,
        config: Mapping[str, Any],
        inputs: Mapping[str, Artifact],
        overwrite: bool = False,
        fingerprint_extra: Mapping[str, Any] | None = None,
    ):
        self.verb = verb
        self.kind = kind
        self.output = output
        self.config = dict(config)
        self.inputs = dict(inputs)
        self.overwrite = overwrite
        self.fingerprint = hash_json(
            {
                "schema": SCHEMA,
                "verb": verb,
                "kind": kind,
                "config": self.config,
                "inputs": {name: artifact.content_hash for name, artifact in inputs.items()},
                "extra": dict(fingerprint_extra or {}),
            }
        )
        self._partial = _sibling(output, "partial")
        self._started = 0.0
        self._finished = False

    @property
    def previous(self) -> Artifact | None:
        """The whole output that stands where this stage will write, if any."""
        try:
            return open_artifact(self.output, kind=self.kind)
        except ArtifactError:
            return None

    def up_to_date(self) -> bool:
        """Tell whether the output is whole and was made from these very settings and inputs."""
        previous = self.previous
        fresh = previous is not None and previous.manifest["fingerprint"] == self.fingerprint
        if fresh:
            logger.info("%s is up to date", self.output)
        return fresh

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Hold the partial folder: an interrupted run's with the same fingerprint, or an empty one.

        Raises:
            ArtifactError: the output exists and may not be replaced, or another process is
                writing it.
            ConfigError: nothing can be written there.
        """
        recover(self.output)
        self._refuse_to_clobber()
        try:
            self._partial.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"cannot write {self._partial}: {error.strerror}; workspace=FOLDER or "
                "output=FOLDER writes elsewhere"
            ) from error
        self._started = time.monotonic()
        with (self._partial / LOCK).open("a") as lock:
            self._acquire(lock)
            self._prepare_partial()
            yield self._partial
        if not self._finished:
            raise ArtifactError(f"{self.verb} left {self._partial} without finishing it")

    def finish(
        self,
        *,
        counts: Mapping[str, Any],
        variant: str = "",
        details: Mapping[str, Any] | None = None,
        volatile: Mapping[str, Any] | None = None,
        unhashed: Sequence[str] = (),
    ) -> Artifact:
        """Write the manifest and put the folder in its place. The last act inside ``writing()``.

        Args:
            counts: what was read, kept and skipped.
            variant: the file in the family's package that loads the payload.
            details: what a reader of the payload has to know.
            volatile: measurements of this very run; no part of the content hash.
            unhashed: sub-folders whose bytes differ between equal runs (Lucene's).
        """
        files = _payload_files(self._partial)
        hashed = {
            name: hash_file(self._partial / name)
            for name in files
            if not any(name.startswith(f"{folder}/") for folder in unhashed)
        }
        payload = hash_json(hashed)
        content = {
            "payload": payload,
            "config": self.config,
            "variant": variant,
            "details": dict(details or {}),
        }
        manifest = {
            "schema": SCHEMA,
            "kind": self.kind,
            "verb": self.verb,
            "variant": variant,
            "content_hash": hash_json(content),
            "payload_hash": payload,
            "fingerprint": self.fingerprint,
            "config": self.config,
            "inputs": {
                name: {
                    "path": os.path.relpath(artifact.path, self.output),
                    "kind": artifact.kind,
                    "content_hash": artifact.content_hash,
                }
                for name, artifact in self.inputs.items()
            },
            "counts": dict(counts),
            "details": dict(details or {}),
            "files": files,
            "volatile": {
                **provenance(),
                "seconds": round(time.monotonic() - self._started, 3),
                # of this process since its start, the JVM's share included; kibibytes on Linux
                "peak_memory_mib": getrusage(RUSAGE_SELF).ru_maxrss // 1024,
                **(volatile or {}),
            },
        }
        write_json(self._partial / MANIFEST, manifest)
        for name in (FINGERPRINT, LOCK):
            (self._partial / name).unlink(missing_ok=True)
        _replace(self._partial, self.output)
        self._finished = True
        return Artifact(self.output, manifest)

    def _refuse_to_clobber(self) -> None:
        if not self.output.exists():
            return
        if not (self.output / MANIFEST).is_file():
            if self.output.is_dir() and not any(self.output.iterdir()):
                return
            raise ArtifactError(
                f"{self.output} exists and is no artifact of ours; choose another output"
            )
        if not self.overwrite and not self.up_to_date():
            raise ArtifactError(
                f"{self.output} exists and was made from other settings or inputs; "
                "overwrite=true replaces it, output=FOLDER writes elsewhere"
            )

    def _acquire(self, lock: IO[str]) -> None:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            raise ArtifactError(
                f"{self._partial} is being written by another process; wait for it"
            ) from error

    def _prepare_partial(self) -> None:
        record = self._partial / FINGERPRINT
        (self._partial / MANIFEST).unlink(missing_ok=True)
        if record.is_file() and read_json(record) == [self.fingerprint]:
            logger.info("resuming %s from %s", self.verb, self._partial)
            return
        leftovers = [entry for entry in self._partial.iterdir() if entry.name != LOCK]
        if leftovers:
            logger.info("%s was made from other settings: starting over", self._partial)
        for entry in leftovers:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        write_json(record, [self.fingerprint])


def _payload_files(folder: Path) -> dict[str, int]:
    files = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and name not in BOOKKEEPING:
            files[name] = file.stat().st_size
    return files


def _replace(partial: Path, output: Path) -> None:
    old = _sibling(output, "old")
    if old.exists():
        shutil.rmtree(old)
    if output.exists():
        output.rename(old)
    # a reader that came between the two renames may have put the new folder in place already
    if partial.exists():
        partial.rename(output)
    if old.exists():
        shutil.rmtree(old)


def _absence(path: Path, kind: str | None) -> str:
    wanted = "artifact" if kind is None else f"{kind} artifact"
    writer = WRITERS.get(kind or "")
    mend = f"spider {writer} writes it" if writer else "run the verb that writes it first"
    if _sibling(path, "partial").exists():
        return f"{path}: unfinished {wanted}; the command that writes it goes on from there"
    if path.exists():
        return f"{path}: no {MANIFEST} here, so this is no {wanted}"
    return f"{path}: no such {wanted}; {mend}, and spider quickstart [FOLDER] takes every step"


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")
