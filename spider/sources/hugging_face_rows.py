"""Rows of a Hugging Face data set: from the hub, from ``save_to_disk``, or from local files."""

import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spider.errors import DataError, MissingDependencyError, SpiderError
from spider.parsing.json_text import RepeatedKeyError, parse
from spider.parsing.nested_json import HEAD, refuse_squad
from spider.printable import counted
from spider.reading import BYTE_ORDER_MARK, open_regular, reading
from spider.sources.files.compression import compression_of
from spider.sources.text_files import fingerprint_files

SAVED = ("dataset_dict.json", "dataset_info.json", "state.json")
BUILDERS = {".parquet": "parquet", ".json": "json", ".jsonl": "json", ".csv": "csv"}
# rows that are read from a Parquet file at once
PARQUET_BATCH = 1_000
# names of one split, as the files of data sets use them
SYNONYMS = (
    ("train", "training"),
    ("validation", "valid", "val", "dev"),
    ("test", "testing", "eval", "evaluation"),
)

logger = logging.getLogger(__name__)


def read_rows(
    name: str,
    *,
    subset: str | None,
    split: str | None,
    usual_split: str,
    revision: str | None,
    streaming: bool,
) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of one split.

    The splits of local files are those that the README's metadata declare, or that the names of
    files and folders tell (``data/train-00000-of-00002.parquet``), as ``datasets`` finds them.
    Without either, all files are one split, ``train``.

    Args:
        name: a local folder or file, or a name on the hub.
        subset: the name of a configuration.
        split: such as ``train``; None takes the usual one, or the only one there is.
        usual_split: the split that is taken unless another is named.
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
    # it would tell the hub of every data set that is loaded, of local files too
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    # its handlers write each message a second time, and its errors are raised as well
    for library, least in (("datasets", logging.CRITICAL), ("huggingface_hub", logging.WARNING)):
        logging.getLogger(library).handlers.clear()
        logging.getLogger(library).setLevel(least)
    local = Path(name).expanduser()
    try:
        if local.is_dir() and any((local / mark).is_file() for mark in SAVED):
            yield from _saved(datasets.load_from_disk(str(local)), split, usual_split, local)
        elif local.is_absolute() or local.exists():
            yield from _local(datasets, local, subset, split, usual_split)
        else:
            yield from datasets.load_dataset(
                name, subset, split=split or usual_split, revision=revision, streaming=streaming
            )
    except SpiderError:
        raise
    except GeneratorExit:
        # the reader stopped early: pyarrow's threads end with the objects that own them, and a
        # thread that is alive when the interpreter ends aborts the process, 3 times in 14
        # (https://github.com/huggingface/datasets/issues/7566)
        gc.collect()
        raise
    # the library's readers raise their own classes, and those of pyarrow, yaml and others
    except Exception as error:
        reason = " ".join(str(error).split())
        if reason.startswith("Config name is missing"):
            reason = f"{reason.partition(' Example of usage')[0]}; subset=NAME chooses one"
        raise DataError(
            f"data set {name} cannot be read: {type(error).__name__}: {reason}"
        ) from error


def choose_split(splits: Sequence[str], wanted: str | None, usual: str, place: Path | str) -> str:
    """Return the split to read.

    Args:
        splits: the splits that there are.
        wanted: the split that a person named, or another name of it (``dev`` for ``validation``).
        usual: the split to read unless one is named.
        place: the data set, for messages.

    Raises:
        DataError: there is no such split; or none is named, and there are several others.
    """
    name = usual if wanted is None else wanted
    same: tuple[str, ...] = next((names for names in SYNONYMS if name in names), ())
    for one in (name, *same):
        if one in splits:
            return one
    if wanted is None and len(splits) == 1:
        return splits[0]
    what = "split: none is named" if wanted is None else f"no split {wanted!r}"
    raise DataError(f"{what}; the splits are: {', '.join(splits)}", path=place)


def fingerprint_rows(name: str) -> list[list[str | int]]:
    """Return name, size and time of a local data set's files; empty for one on the hub."""
    local = Path(name).expanduser()
    if local.is_dir():
        return fingerprint_files(sorted(file for file in local.rglob("*") if file.is_file()))
    return fingerprint_files([local]) if local.is_file() else []


def _saved(found: Any, split: str | None, usual: str, local: Path) -> Iterator[Mapping[str, Any]]:
    if isinstance(found, Mapping):
        return iter(found[choose_split(list(found), split, usual, local)])
    # one split, saved by itself; it may know its name
    choose_split([str(found.split or "train")], split, usual, local)
    return iter(found)


def _local(
    datasets: Any, local: Path, subset: str | None, split: str | None, usual: str
) -> Iterator[Mapping[str, Any]]:
    if local.is_file():
        kind = BUILDERS.get(local.suffix.lower())
        if kind is None:
            raise DataError(f"expected a file of {', '.join(BUILDERS)}, or a folder", path=local)
        builder = datasets.load_dataset_builder(kind, data_files=[str(local)])
    elif _data_files(local):
        builder = datasets.load_dataset_builder(str(local), subset)
    else:
        raise DataError("neither written by save_to_disk nor with *.parquet", path=local)
    files = {str(name): list(map(str, own)) for name, own in builder.config.data_files.items()}
    chosen = choose_split(list(files), split, usual, local)
    if local.is_dir() and subset is None:
        _tell_unread(local, [file for own in files.values() for file in own])
    if len(files) > 1:
        logger.info("%s: split %s of %s", local, chosen, ", ".join(files))
    _check_json(files[chosen])
    if any(file.endswith(".parquet") for file in files[chosen]):
        # unless one is set, it takes the size of the first row group, and fails where that is 0
        builder.config.batch_size = PARQUET_BATCH
    return iter(builder.as_streaming_dataset(split=chosen))


def _check_json(files: Sequence[str]) -> None:
    """Parse local JSON files by our rules: of two equal keys, the library keeps the last.

    Raises:
        DataError: an object has a key twice, or the file is SQuAD's nested JSON.
    """
    for file in map(Path, files):
        if file.suffix.lower() not in (".json", ".jsonl") or not file.is_file():
            continue
        with open_regular(file) as stream, reading(file) as place:
            if suffix := compression_of(stream, file):
                raise DataError(f"{suffix} data under another name; decompress it", path=file)
            head = stream.peek(HEAD).removeprefix(BYTE_ORDER_MARK)
            refuse_squad(head, file)
            whole = head.lstrip()[:1] == b"["
            for number, row in enumerate([stream.read()] if whole else stream, start=1):
                try:
                    parse(row.removeprefix(BYTE_ORDER_MARK))
                except RepeatedKeyError:
                    place.line = None if whole else number
                    raise
                except (ValueError, RecursionError):
                    # the library reads further forms, and says itself what it cannot read
                    break


def _data_files(local: Path) -> list[Path]:
    found = (file for file in local.rglob("*") if file.suffix.lower() in BUILDERS)
    return sorted(file for file in found if file.is_file())


def _tell_unread(local: Path, used: Sequence[str]) -> None:
    """Log the data files that belong to no split, which nothing reads."""
    kinds = {Path(name).suffix for name in used}
    known = {Path(name).resolve() for name in used}
    unread = [
        file for file in _data_files(local) if file.suffix in kinds and file.resolve() not in known
    ]
    if unread:
        logger.warning(
            "%s: %s in no split, not read (such as %s)",
            *(local, counted(len(unread), "file"), unread[0].relative_to(local)),
        )
