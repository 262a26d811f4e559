"""Stages: a verb writes its artifact through a stage, completely or not at all.

A stage writes into ``NAME.partial/``, which holds a lock and the fingerprint of settings and
inputs. The folder is renamed when it is complete. A replaced artifact is renamed to ``NAME.old``
before that, and opening the artifact recovers from a kill between the two renames.
"""

import logging
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import IO, Any

from spider.artifacts.artifact import (
    FINGERPRINT,
    LEFTOVERS,
    LOCK,
    MANIFEST,
    SCHEMA,
    Artifact,
    discard,
    open_artifact,
    recover,
    sibling,
)
from spider.artifacts.atomic_files import hash_file, hash_json, read_json, write_json
from spider.artifacts.provenance import provenance
from spider.artifacts.record import DetailsRecord
from spider.child_processes import held_by_workers
from spider.errors import ArtifactError, ConfigError

BOOKKEEPING = {MANIFEST, LOCK, FINGERPRINT}
#: seconds until a lock counts as taken: worker processes of a run that was just killed hold it
#: until the system has ended them, which takes milliseconds
PATIENCE = 1.0

logger = logging.getLogger(__name__)


class Stage:
    """One run of a verb: checks whether its output is up to date, and writes it if not.

    Args:
        verb: the verb, as typed.
        kind: the kind of artifact that it writes.
        output: the artifact's folder.
        config: the resolved configuration, without paths: the settings that decide the content.
        inputs: the artifacts that are read.
        overwrite: replace an output that was made from other settings or inputs.
        fingerprint_extra: values that make an output stale but are not part of its content, such as
            the modification times of source files.

    Raises:
        ConfigError: the output has no name.
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
        if not output.name:
            raise ConfigError(f"output={output}: expected a folder with a name of its own")
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
        self._partial = sibling(output, "partial")
        self._started = 0.0
        self._finished = False

    @property
    def previous(self) -> Artifact | None:
        """The complete artifact in the output folder, if there is one."""
        try:
            return open_artifact(self.output, kind=self.kind)
        except ArtifactError:
            return None

    def up_to_date(self) -> bool:
        """Return whether the output is complete and was made from the same settings and inputs."""
        previous = self.previous
        fresh = previous is not None and previous.manifest["fingerprint"] == self.fingerprint
        if fresh:
            logger.info("%s is up to date", self.output)
        return fresh

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Lock the partial folder: an interrupted run's with the same fingerprint, or an empty one.

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
            with held_by_workers(lock.fileno()), _naming(self._partial):
                self._prepare_partial()
                yield self._partial
        if not self._finished:
            raise ArtifactError(f"{self.verb} left {self._partial} without finishing it")

    def finish(
        self,
        *,
        counts: Mapping[str, Any],
        variant: str = "",
        details: DetailsRecord | Mapping[str, Any] | None = None,
        volatile: Mapping[str, Any] | None = None,
        unhashed: Sequence[str] = (),
        leftovers: Sequence[str] = (),
    ) -> Artifact:
        """Write the manifest and rename the folder; the last call inside ``writing()``.

        Args:
            counts: numbers of items read, kept and skipped.
            variant: the file in the family's package that loads the payload.
            details: facts that opening the payload needs: the record of the kind, or its JSON
                object.
            volatile: measurements of this run; not part of the content hash.
            unhashed: files and sub-folders of the payload that are not part of the content hash,
                because their bytes differ between equal runs (Lucene's index, a model card).
            leftovers: sub-folders from which an interrupted run resumes. They are not part of the
                artifact and are removed as the last step.
        """
        files = _payload_files(self._partial, leftovers)
        hashed = {
            name: hash_file(self._partial / name)
            for name in files
            if not any(name == entry or name.startswith(f"{entry}/") for entry in unhashed)
        }
        payload = hash_json(hashed)
        recorded = (
            details.to_details() if isinstance(details, DetailsRecord) else dict(details or {})
        )
        content = {
            "payload": payload,
            "config": self.config,
            "variant": variant,
            "details": recorded,
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
            "details": recorded,
            "files": files,
            LEFTOVERS: list(leftovers),
            "volatile": {
                **provenance(),
                "seconds": round(time.monotonic() - self._started, 3),
                # of this process since its start, the JVM's share included
                "peak_memory_mib": _peak_memory() >> 20,
                **(volatile or {}),
            },
        }
        write_json(self._partial / MANIFEST, manifest)
        _replace(self._partial, self.output, leftovers)
        self._finished = True
        return Artifact(self.output, manifest)

    def _refuse_to_clobber(self) -> None:
        if not self.output.exists():
            return
        if not (self.output / MANIFEST).is_file():
            if self.output.is_dir() and not any(self.output.iterdir()):
                return
            raise ArtifactError(
                f"{self.output} exists and is not an artifact; choose another output"
            )
        if _kind_at(self.output) not in (self.kind, None):
            raise ArtifactError(
                f"{self.output} is a {_kind_at(self.output)} artifact and is not replaced by a "
                f"{self.kind}; choose another output"
            )
        for name, artifact in self.inputs.items():
            if artifact.path.resolve() == self.output.resolve():
                raise ArtifactError(
                    f"{self.output} is the {name} that this verb reads; choose another output"
                )
        if not self.overwrite and not self.up_to_date():
            raise ArtifactError(
                f"{self.output} exists and was made from other settings or inputs; "
                "overwrite=true replaces it, output=FOLDER writes elsewhere"
            )

    def _acquire(self, lock: IO[str]) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                raise ArtifactError(
                    f"{self._partial} is being written by another process; wait for it"
                ) from error
            return

    def _prepare_partial(self) -> None:
        record = self._partial / FINGERPRINT
        (self._partial / MANIFEST).unlink(missing_ok=True)
        if _recorded(record) == [self.fingerprint]:
            logger.info("resuming %s from %s", self.verb, self._partial)
            return
        leftovers = [entry for entry in self._partial.iterdir() if entry.name != LOCK]
        if leftovers:
            logger.info("%s was made from other settings: starting again", self._partial)
        for entry in leftovers:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        write_json(record, [self.fingerprint])


@contextmanager
def _naming(folder: Path) -> Iterator[None]:
    """Name the folder in an error of a write, which names nothing ("No space left on device")."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(folder)
        raise


def _recorded(record: Path) -> Any:
    """Return the fingerprint that a partial folder has; None if it is damaged or missing."""
    try:
        return read_json(record) if record.is_file() else None
    except ValueError:
        return None


def _kind_at(folder: Path) -> Any:
    """Return what kind of artifact a folder holds; None if its manifest is damaged."""
    try:
        return read_json(folder / MANIFEST)["kind"]
    except (ValueError, KeyError, TypeError):
        return None


def _peak_memory() -> int:
    peak = getrusage(RUSAGE_SELF).ru_maxrss
    # bytes on macOS, kibibytes elsewhere
    return peak if sys.platform == "darwin" else peak * 1024


def _payload_files(folder: Path, leftovers: Sequence[str]) -> dict[str, int]:
    files = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and name not in BOOKKEEPING and name.split("/")[0] not in leftovers:
            files[name] = file.stat().st_size
    return files


def _replace(partial: Path, output: Path, leftovers: Sequence[str]) -> None:
    old = sibling(output, "old")
    if old.exists():
        shutil.rmtree(old)
    if output.exists():
        output.rename(old)
    # not earlier: until the old artifact is renamed, a killed run has to resume from the leftovers
    discard(partial, leftovers, locked=True)
    # another process that opened the artifact between the two renames may have renamed the new
    # folder
    if partial.exists():
        partial.rename(output)
    discard(output, leftovers)
    if old.exists():
        shutil.rmtree(old)
