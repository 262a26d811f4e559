"""Rows of a Hugging Face data set: from the hub, from ``save_to_disk``, or from Parquet files."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spider.errors import ConfigError, DataError, MissingDependencyError
from spider.sources.text_files import fingerprint_files

SAVED = ("dataset_dict.json", "dataset_info.json", "state.json")


def read_rows(
    name: str, *, subset: str | None, split: str, revision: str | None, streaming: bool
) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of one split.

    Args:
        name: a local folder (written by ``save_to_disk``, or holding ``*.parquet``), a Parquet
            file, or a name on the hub.
        subset: the hub's name for a configuration.
        split: such as ``train``; a local data set without splits ignores it.
        revision: commit, tag or branch on the hub.
        streaming: read the hub's files while they download, without storing them.

    Raises:
        MissingDependencyError: ``datasets`` is not installed.
        DataError: the data set cannot be loaded, or has no such split.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingDependencyError(
            f"reading the data set {name} needs datasets", extra="datasets"
        ) from error
    local = Path(name).expanduser()
    try:
        if local.is_dir() and any((local / mark).is_file() for mark in SAVED):
            found = datasets.load_from_disk(str(local))
            yield from _choose_split(found, split, local)
            return
        files = find_parquet(local)
        if files:
            yield from datasets.load_dataset(
                "parquet", data_files=[str(file) for file in files], split="train", streaming=True
            )
            return
        if local.is_absolute() or local.exists():
            raise DataError("neither written by save_to_disk nor with *.parquet", path=local)
        yield from datasets.load_dataset(
            name, subset, split=split, revision=revision, streaming=streaming
        )
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, DataError | ConfigError):
            raise
        raise DataError(
            f"data set {name} cannot be read: {type(error).__name__}: {error}"
        ) from error


def find_parquet(local: Path) -> list[Path]:
    """Return the Parquet files at a local path."""
    if local.is_file() and local.suffix == ".parquet":
        return [local]
    return sorted(local.rglob("*.parquet")) if local.is_dir() else []


def fingerprint_rows(name: str) -> list[list[str | int]]:
    """Return name, size and time of a local data set's files; empty for one on the hub."""
    local = Path(name).expanduser()
    if local.is_dir():
        return fingerprint_files(sorted(file for file in local.rglob("*") if file.is_file()))
    return fingerprint_files([local]) if local.is_file() else []


def column(row: Mapping[str, Any], name: str) -> Any:
    """Return a column, or one of its fields if the name has dots (``answers.text``).

    Raises:
        DataError: there is no such column.
    """
    value: Any = row
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise DataError(f"no column {name!r}; the columns are: {', '.join(map(str, row))}")
        value = value[part]
    return value


def _choose_split(found: Any, split: str, local: Path) -> Iterator[Mapping[str, Any]]:
    if not isinstance(found, Mapping):
        return iter(found)
    if split not in found:
        raise DataError(f"no split {split!r}; the splits are: {', '.join(found)}", path=local)
    return iter(found[split])
