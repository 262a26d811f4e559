"""Replacing an artifact by a new one, and finishing a replacement that a kill interrupted.

``NAME.partial`` is complete and has its manifest. Then, in this order: ``NAME`` gets a marker and
becomes ``NAME.old``; ``NAME.partial`` becomes ``NAME``; its leftovers, its bookkeeping and
``NAME.old`` go; the lock goes. Each step can be the last before a kill. Only a writer that holds
the lock takes these steps.

Nothing is removed between the two renames: a reader finds no ``NAME`` then, and waits only a
second, while the checkpoints of a large model can take longer to remove.

What a person put there is never removed: a ``NAME.old`` without our marker and a ``NAME.partial``
without our record of settings stop the writer, and so does a symbolic link.
"""

import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import flush, sweep, walk, write_json
from spider.artifacts.folder.file_table import faults, from_json
from spider.artifacts.folder.manifest import (
    FILES,
    LEFTOVERS,
    MANIFEST,
    has_manifest,
    read_manifest,
    sibling,
)
from spider.child_processes import held_by_workers
from spider.errors import ArtifactError, ConfigError
from spider.reading import read_json

LOCK = ".lock"
#: in an unfinished artifact: the fingerprint of its settings and inputs
FINGERPRINT = ".fingerprint.json"
#: in a replaced artifact
REPLACED = ".replaced.json"
BOOKKEEPING = (MANIFEST, LOCK, FINGERPRINT, REPLACED)
PROGRAM = "spider-odqa"
#: seconds until a lock counts as taken: worker processes of a run that was just killed hold it
#: until the system has ended them, which takes milliseconds
PATIENCE = 1.0

logger = logging.getLogger(__name__)


@contextmanager
def locked(output: Path) -> Iterator[Path]:
    """Make and lock ``NAME.partial``, with every interrupted replacement finished.

    Raises:
        ArtifactError: another process writes it, or a person put something in its place.
        ConfigError: nothing can be written there.
    """
    partial = sibling(output, "partial")
    while True:
        descriptor = _lock(output, partial)
        try:
            moved = _settle(output, partial)
        except BaseException:
            _withdraw(partial, descriptor)
            raise
        if not moved:
            break
        # the folder of the lock has the artifact's name now
        os.close(descriptor)
    try:
        with held_by_workers(descriptor):
            yield partial
    finally:
        _withdraw(partial, descriptor)


def settle(output: Path) -> None:
    """Finish an interrupted replacement, if there is one and nothing else writes there."""
    partial = sibling(output, "partial")
    promoted = has_manifest(partial) and not os.path.lexists(output)
    if not (promoted or _is_untidy(output)):
        return
    try:
        with locked(output):
            pass
    except (OSError, ArtifactError, ConfigError) as error:
        # not an error: the artifact is complete, and the next writer tries again
        logger.warning("an interrupted replacement of %s is not finished yet: %s", output, error)


def marker_of(folder: Path) -> Any:
    """Return what our marker in a replaced artifact says; None where a person made the folder."""
    return _record(folder, REPLACED)


def fingerprint_of(partial: Path) -> Any:
    """Return the record in an unfinished artifact; None where a person made the folder."""
    return _record(partial, FINGERPRINT)


def leftovers_in(output: Path) -> list[Path]:
    """Return the leftovers that a kill after the second rename left in an artifact.

    Our record of settings goes after them. A folder of that name beside no record is a person's.
    """
    if fingerprint_of(output) is None:
        return []
    try:
        names = read_manifest(output)[LEFTOVERS]
    except ArtifactError:
        # damaged since: the next writer replaces the folder, or names what it would lose
        return []
    return [output / name for name in names if os.path.lexists(output / name)]


def record_fingerprint(partial: Path, fingerprint: str) -> None:
    """Mark an unfinished artifact as ours; an empty fingerprint fits no settings."""
    write_json(partial / FINGERPRINT, {"program": PROGRAM, "fingerprint": fingerprint})


def require_free(output: Path) -> None:
    """Check that an artifact can be moved aside before it is replaced.

    Raises:
        ArtifactError: a person put something at the name that it needs.
    """
    old = sibling(output, "old")
    if not os.path.lexists(old) or _is_empty(old):
        return
    if old.is_symlink() or marker_of(old) is None:
        raise ArtifactError(
            f"{old} is not of this program, which needs that name to replace {output.name}; "
            "rename or remove it, or choose another output"
        )


def replace(partial: Path, output: Path) -> None:
    """Put a complete artifact in its place; the lock is held."""
    old = sibling(output, "old")
    if os.path.lexists(output):
        require_free(output)
        _drop_old(old)
        if has_manifest(output):
            write_json(output / REPLACED, {"program": PROGRAM, "name": output.name})
            output.rename(old)
        else:
            output.rmdir()
        flush(output.parent)
    _promote(partial, output)


def _promote(partial: Path, output: Path) -> None:
    """Take the steps after the old artifact was moved aside."""
    partial.rename(output)
    flush(output.parent)
    _tidy(output)


def _tidy(output: Path) -> None:
    """Remove what a replacement needed until now, the lock last."""
    for entry in leftovers_in(output):
        _remove(entry)
    (output / FINGERPRINT).unlink(missing_ok=True)
    (output / REPLACED).unlink(missing_ok=True)
    _drop_old(sibling(output, "old"))
    (output / LOCK).unlink(missing_ok=True)


def _settle(output: Path, partial: Path) -> bool:
    """Finish an interrupted replacement; return whether ``NAME.partial`` became ``NAME``."""
    if has_manifest(output):
        if _is_untidy(output):
            logger.info("%s: finishing an interrupted replacement", output)
            _tidy(output)
        return False
    if os.path.lexists(output) or not has_manifest(partial):
        return False
    try:
        manifest = read_manifest(partial)
        found = next(faults(partial, from_json(manifest[FILES], where=partial)), None)
    except ArtifactError as error:
        found = str(error)
    if found:
        logger.warning("%s is made again: %s", partial, found)
        return False
    logger.info("%s: finishing an interrupted replacement", output)
    _promote(partial, output)
    return True


def _is_untidy(output: Path) -> bool:
    """Return whether an artifact is complete, but a kill came before the last of its steps."""
    old = sibling(output, "old")
    return has_manifest(output) and (
        marker_of(old) is not None
        or _is_empty(old)
        or any((output / name).exists() for name in (FINGERPRINT, REPLACED, LOCK))
    )


def _lock(output: Path, partial: Path) -> int:
    while True:
        _make(partial)
        descriptor = _open_lock(partial)
        try:
            _take(descriptor, partial)
            _refuse_if_locked(output)
            if not _is_at(descriptor, partial / LOCK):
                # the writer before us renamed or removed the folder in the meantime
                os.close(descriptor)
                continue
            _require_ours(partial)
        except BaseException:
            _withdraw(partial, descriptor)
            raise
        return descriptor


def _open_lock(partial: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(partial / LOCK, flags, 0o666)
    except OSError as error:
        raise _cannot_write(partial, error) from error


def _withdraw(partial: Path, descriptor: int) -> None:
    """Release the lock; a folder that holds nothing else goes."""
    if _is_at(descriptor, partial / LOCK) and [*partial.iterdir()] == [partial / LOCK]:
        with suppress(BlockingIOError):
            # not the lock that another process holds
            flock(descriptor, LOCK_EX | LOCK_NB)
            (partial / LOCK).unlink()
            partial.rmdir()
    os.close(descriptor)


def _cannot_write(partial: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"cannot write {partial}: {error.strerror}; workspace=FOLDER or output=FOLDER writes "
        "elsewhere"
    )


def _make(partial: Path) -> None:
    if partial.is_symlink():
        raise ArtifactError(f"{partial} is a symbolic link, which is not followed; remove it")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        names = {entry.name for entry in partial.iterdir()}
    except OSError as error:
        raise _cannot_write(partial, error) from error
    if names and LOCK not in names and fingerprint_of(partial) is None:
        _refuse(partial)


def _take(descriptor: int, partial: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() < deadline:
                time.sleep(0.02)
                continue
            raise ArtifactError(
                f"{partial} is being written by another process; wait for it"
            ) from error
        return


def _refuse_if_locked(output: Path) -> None:
    """Check the lock of a writer that has renamed its folder and still removes the old one."""
    try:
        descriptor = os.open(output / LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        _take(descriptor, output)
        flock(descriptor, LOCK_UN)
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _require_ours(partial: Path) -> None:
    sweep_first = {entry.name for entry in partial.iterdir()} - {LOCK}
    # a kill right after the folder was made leaves at most the record's temporary file
    strangers = {name for name in sweep_first if not name.startswith(f".{FINGERPRINT}.")}
    if strangers and fingerprint_of(partial) is None:
        _refuse(partial)
    link = next((file for file in walk(partial) if file.is_symlink()), None)
    if link is not None:
        raise ArtifactError(f"{link} is a symbolic link, which is not followed; remove it")
    sweep(partial)


def _refuse(partial: Path) -> None:
    raise ArtifactError(
        f"{partial} is not of this program, which writes there before it renames; rename or remove "
        "it, or choose another output"
    )


def _record(folder: Path, name: str) -> Any:
    """Return a record of ours in a folder; None if it is missing, damaged or of another program."""
    file = folder / name
    try:
        if folder.is_symlink() or file.is_symlink() or not file.is_file():
            return None
    except OSError:
        # the folder may not be entered
        return None
    try:
        record = read_json(file, error=ArtifactError)
    except ArtifactError:
        return None
    return record if isinstance(record, dict) and record.get("program") == PROGRAM else None


def _drop_old(old: Path) -> None:
    """Remove a replaced artifact: manifest first, so that it is not whole, and marker last."""
    if _is_empty(old):
        old.rmdir()
        return
    if old.is_symlink() or marker_of(old) is None:
        return
    (old / MANIFEST).unlink(missing_ok=True)
    for entry in list(old.iterdir()):
        if entry.name != REPLACED:
            _remove(entry)
    (old / REPLACED).unlink()
    old.rmdir()


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())


def _remove(entry: Path) -> None:
    """Remove a folder or a file; of a link, the link alone."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)


def empty(partial: Path) -> None:
    """Remove what other settings wrote; the record says first that it fits no settings."""
    record_fingerprint(partial, "")
    for entry in list(partial.iterdir()):
        if entry.name not in (LOCK, FINGERPRINT):
            _remove(entry)


def discard(partial: Path) -> None:
    """Remove what a run wrote that nothing resumes; the folder goes with the lock."""
    empty(partial)
    (partial / FINGERPRINT).unlink()
