"""Stages: a verb writes its artifact through a stage, completely or not at all.

A stage writes into ``NAME.partial/``, which holds a lock and the fingerprint of settings and
inputs. :mod:`spider.artifacts.folder.replacement` renames the folder when it is complete.
"""

import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.atomic_files import flush_tree, hash_json, write_json
from spider.artifacts.folder import file_table, replacement
from spider.artifacts.folder.file_table import EVERYTHING
from spider.artifacts.folder.generation import generation_of
from spider.artifacts.folder.manifest import (
    FILES,
    LEFTOVERS,
    MANIFEST,
    SCHEMA,
    kind_in,
    looks_like_ours,
    parse_manifest,
    seal,
    sibling,
)
from spider.artifacts.folder.replacement import BOOKKEEPING
from spider.artifacts.provenance import provenance
from spider.artifacts.record import DetailsRecord
from spider.errors import ArtifactError, ConfigError, SpiderError
from spider.reading import read_bytes

#: files that a system puts into any folder, and that no person misses
SYSTEM_FILES = re.compile(r"\.DS_Store|\.directory|\.nfs[0-9a-f]+|\._.*")

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
        """Return whether the output is complete and was made from the same settings and inputs.

        A replacement that a kill interrupted is finished first.
        """
        replacement.settle(self.output)
        fresh = self._is_fresh()
        if fresh:
            logger.info("%s is up to date", self.output)
        return fresh

    @contextmanager
    def writing(self, *, resumes: bool = True) -> Iterator[Path]:
        """Lock the partial folder: an interrupted run's with the same fingerprint, or an empty one.

        Args:
            resumes: false for a verb that begins from nothing in any case. What it wrote before an
                error of the tree, such as documents without text, is then removed.

        Raises:
            ArtifactError: the output exists and may not be replaced, another process is writing
                it, or a person put something in its place.
            ConfigError: nothing can be written there.
        """
        replacement.settle(self.output)
        self._refuse_to_clobber()
        makes_workspace = not os.path.lexists(self.output.parent)
        try:
            with self._locked(resumes=resumes) as partial:
                yield partial
        except SpiderError:
            if makes_workspace and not resumes:
                with suppress(OSError):  # another command writes there by now
                    self.output.parent.rmdir()
            raise
        if not self._finished:
            raise ArtifactError(f"{self.verb} left {self._partial} without finishing it")

    @contextmanager
    def _locked(self, *, resumes: bool) -> Iterator[Path]:
        with replacement.locked(self.output) as partial, _naming(partial):
            # what the lock waited for may have changed it
            self._refuse_to_clobber()
            self._started = time.monotonic()
            self._prepare_partial()
            try:
                yield partial
            except SpiderError:
                if not resumes:
                    replacement.discard(partial)
                raise

    def finish(
        self,
        *,
        counts: Mapping[str, Any],
        variant: str = "",
        details: DetailsRecord | Mapping[str, Any] | None = None,
        volatile: Mapping[str, Any] | None = None,
        payload: Sequence[str] | None = None,
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
            payload: the files of the artifact; see
                :func:`spider.artifacts.folder.file_table.matches`. None takes those that the record
                of the kind declares. Another file in the folder is no part of the artifact.
            unhashed: files and sub-folders of the payload that are not part of the content hash,
                because their bytes differ between equal runs (Lucene's index, a model card).
            leftovers: sub-folders from which an interrupted run resumes. They are not part of the
                artifact and are removed as the last step.
        """
        flush_tree(self._partial)
        if payload is None:
            payload = details.PAYLOAD if isinstance(details, DetailsRecord) else (EVERYTHING,)
        table = file_table.describe(self._partial, self._declared(payload, leftovers))
        hashed = {
            name: entry.digest
            for name, entry in table.items()
            if not any(name == entry or name.startswith(f"{entry}/") for entry in unhashed)
        }
        digest = hash_json(hashed)
        recorded = (
            details.to_details() if isinstance(details, DetailsRecord) else dict(details or {})
        )
        content = {
            "payload": digest,
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
            "payload_hash": digest,
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
            FILES: file_table.to_json(table),
            LEFTOVERS: list(leftovers),
            "volatile": {
                **provenance(),
                "seconds": round(time.monotonic() - self._started, 3),
                # of this process since its start, the JVM's share included
                "peak_memory_mib": _peak_memory() >> 20,
                **(volatile or {}),
            },
        }
        manifest = seal(manifest)
        write_json(self._partial / MANIFEST, manifest)
        flush_tree(self._partial, files=False)
        replacement.replace(self._partial, self.output)
        self._finished = True
        return Artifact(self.output, manifest, generation_of(self.output))

    def _declared(self, payload: Sequence[str], leftovers: Sequence[str]) -> list[str]:
        return [
            name
            for name in file_table.names_below(self._partial)
            if name not in BOOKKEEPING
            and name.split("/")[0] not in leftovers
            and file_table.matches(name, payload)
        ]

    def _is_fresh(self) -> bool:
        previous = self.previous
        return previous is not None and previous.manifest["fingerprint"] == self.fingerprint

    def _refuse_to_clobber(self) -> None:
        if self.output.is_symlink():
            raise ArtifactError(
                f"{self.output} is a symbolic link, which is not replaced; choose another output, "
                "such as the folder that it names"
            )
        if not self.output.exists():
            return
        if not (self.output / MANIFEST).is_file():
            if self.output.is_dir() and not any(self.output.iterdir()):
                return
            raise ArtifactError(
                f"{self.output} exists and is not an artifact; choose another output"
            )
        for name, artifact in self.inputs.items():
            if artifact.path.resolve() == self.output.resolve():
                raise ArtifactError(
                    f"{self.output} is the {name} that this verb reads; choose another output"
                )
        self._refuse_what_others_wrote()
        if not self.overwrite and not self._is_fresh():
            raise ArtifactError(self._why_not())
        replacement.require_free(self.output)

    def _refuse_what_others_wrote(self) -> None:
        """Check that replacing the output removes what this program wrote and nothing else."""
        data = read_bytes(self.output / MANIFEST, error=ArtifactError)
        kind = kind_in(data)
        if not looks_like_ours(data):
            raise ArtifactError(
                f"{self.output} exists and is not an artifact: its {MANIFEST} is damaged or of "
                "another program; remove it, or choose another output"
            )
        if kind not in ("", self.kind):
            raise ArtifactError(
                f"{self.output} is a {kind} artifact and is not replaced by a {self.kind}; choose "
                "another output"
            )
        is_ours = _named_in(data, self.output / MANIFEST)
        # only while an interrupted replacement is not finished
        leftovers = {place.name for place in replacement.leftovers_in(self.output)}
        strangers = [
            name
            for name in file_table.names_below(self.output)
            if name not in BOOKKEEPING
            and not SYSTEM_FILES.fullmatch(name.rpartition("/")[2])
            and not is_ours(name)
            and name.split("/")[0] not in leftovers
        ]
        if strangers:
            raise ArtifactError(
                f"{self.output} holds {strangers[0]}, which no verb wrote, and would lose it; move "
                "it away, or choose another output"
            )

    def _why_not(self) -> str:
        """Return why an existing output is not used."""
        try:
            open_artifact(self.output, kind=self.kind)
        except ArtifactError as error:
            return f"{error}: overwrite=true does that"
        return (
            f"{self.output} exists and was made from other settings or inputs; "
            "overwrite=true replaces it, output=FOLDER writes elsewhere"
        )

    def _prepare_partial(self) -> None:
        (self._partial / MANIFEST).unlink(missing_ok=True)
        record = replacement.fingerprint_of(self._partial)
        if record is not None and record.get("fingerprint") == self.fingerprint:
            logger.info("resuming %s from %s", self.verb, self._partial)
            return
        if record is not None:
            logger.info("%s was made from other settings: starting again", self._partial)
            replacement.empty(self._partial)
        replacement.record_fingerprint(self._partial, self.fingerprint)


def _named_in(data: bytes, path: Path) -> Callable[[str], bool]:
    """Return the test whether a manifest names a file as one of its artifact."""
    try:
        manifest = parse_manifest(data, path)
    except ArtifactError:
        # damaged, or of an earlier version: its text still holds the names of its files
        return lambda name: json.dumps(name, ensure_ascii=False).encode(errors="replace") in data
    files = manifest[FILES]
    return lambda name: name in files


@contextmanager
def _naming(folder: Path) -> Iterator[None]:
    """Name the folder in an error of a write, which names nothing ("No space left on device")."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(folder)
        raise


def _peak_memory() -> int:
    peak = getrusage(RUSAGE_SELF).ru_maxrss
    # bytes on macOS, kibibytes elsewhere
    return peak if sys.platform == "darwin" else peak * 1024
