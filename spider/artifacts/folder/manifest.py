"""The manifest of an artifact: its entries, their types, their checksum; and its names on disk."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import hash_json
from spider.artifacts.folder import file_table
from spider.errors import ArtifactError
from spider.reading import parse_json, read_bytes

SCHEMA = 2
MANIFEST = "manifest.json"
#: the manifest's entry for the sub-folders that a stage needs until its artifact is complete
LEFTOVERS = "leftovers"
#: the manifest's entry for the digest of all its other entries
CHECKSUM = "checksum"
FILES = "files"
#: what every manifest has
ENTRIES: Mapping[str, type] = {
    "kind": str,
    "variant": str,
    "verb": str,
    "content_hash": str,
    "payload_hash": str,
    "fingerprint": str,
    "config": dict,
    "inputs": dict,
    "counts": dict,
    "details": dict,
    FILES: dict,
    LEFTOVERS: list,
    "volatile": dict,
}
#: what is known of each input
INPUT = ("path", "kind", "content_hash")


def seal(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest with the checksum of its entries."""
    entries = {name: value for name, value in manifest.items() if name != CHECKSUM}
    return {**entries, CHECKSUM: hash_json(entries)}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check the manifest of a folder.

    Raises:
        ArtifactError: it is missing or damaged.
    """
    return parse_manifest(read_bytes(folder / MANIFEST, error=ArtifactError), folder / MANIFEST)


def parse_manifest(data: bytes, path: Path) -> dict[str, Any]:
    """Read and check a manifest.

    Args:
        data: the content of the file.
        path: the file, for errors.

    Raises:
        ArtifactError: it is damaged, of another schema, or not a manifest of this program.
    """
    again = f"make {path.parent.name} again"
    manifest: Any = parse_json(data, path, error=ArtifactError)
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if schema != SCHEMA:
        raise ArtifactError(
            f"{path.parent}: manifest schema {schema!r}, expected {SCHEMA}; {again}"
        )
    missing = sorted(ENTRIES.keys() - manifest.keys())
    if missing:
        raise ArtifactError(f"{path} lacks {missing}; {again}")
    for name, kind in ENTRIES.items():
        if not isinstance(manifest[name], kind):
            raise ArtifactError(
                f"{path}: {name}: got {manifest[name]!r}, expected a {kind.__name__}; {again}"
            )
    for name, record in manifest["inputs"].items():
        if not (isinstance(record, dict) and all(isinstance(record.get(k), str) for k in INPUT)):
            raise ArtifactError(
                f"{path}: inputs: got {name!r}: {record!r}, expected {', '.join(INPUT)}; {again}"
            )
    odd = [name for name in manifest[LEFTOVERS] if not file_table.is_plain_name(name)]
    if odd:
        raise ArtifactError(f"{path}: {LEFTOVERS}: got {odd}, expected names of folders; {again}")
    file_table.from_json(manifest[FILES], where=path)
    if manifest.get(CHECKSUM) != seal(manifest)[CHECKSUM]:
        raise ArtifactError(
            f"{path} is damaged or was edited: its {CHECKSUM} does not fit; {again}"
        )
    return dict(manifest)


def looks_like_ours(data: bytes) -> bool:
    """Return whether a manifest that may be damaged was written by this program.

    One flipped bit changes at most one of the three names.
    """
    names = ("content_hash", "payload_hash", "fingerprint")
    return sum(f'"{name}"'.encode() in data for name in names) >= 2


def kind_in(data: bytes) -> str:
    """Return the kind in a manifest that may be damaged or of another schema; may be empty."""
    found = re.search(rb'"kind": "([\w-]+)"', data)
    return found[1].decode() if found else ""


def has_manifest(folder: Path) -> bool:
    """Return whether a folder has a manifest; false for a folder that may not be entered."""
    try:
        return (folder / MANIFEST).is_file()
    except OSError:
        return False


def sibling(path: Path, suffix: str) -> Path:
    """Return the folder beside an artifact that holds its unfinished or its replaced version."""
    named = path if path.name else path.absolute()
    return named.parent / f"{named.name}.{suffix}"
