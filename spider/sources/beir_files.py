"""The files of a BEIR data set, in a folder or a zip."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path

from spider.errors import DataError
from spider.sources.files.compression import COMPRESSIONS, open_binary, open_member, open_zip

SUFFIXES = ("", *COMPRESSIONS)


@contextmanager
def open_beir_file(data_set: Path, name: str) -> Iterator[tuple[BufferedIOBase, Path]]:
    """Open one file of a data set; yields the stream, and the path for messages.

    Args:
        data_set: a folder, or a zip whose members may lie under one folder.
        name: such as ``corpus.jsonl`` or ``qrels/test.tsv``.

    Raises:
        DataError: there is no data set, or no such file in it, or several: plain and compressed.
    """
    if data_set.is_dir():
        found = [place for end in SUFFIXES if (place := data_set / f"{name}{end}").is_file()]
        if len(found) > 1:
            raise DataError(
                f"holds {found[0].name} and {found[1].name}, and no rule says which one is meant; "
                "expected one: remove or rename the other",
                path=found[0].parent,
            )
        if found:
            with open_binary(found[0]) as stream:
                yield stream, found[0]
            return
        names = [str(file.relative_to(data_set)) for file in (data_set / name).parent.glob("*")]
        raise _missing(name, "folder", names, data_set)
    with open_zip(data_set, expected="a BEIR data set: a folder or a zip") as archive:
        _check_one_data_set(archive.namelist(), data_set)
        inside = [m for m in archive.infolist() if f"/{m.filename}".endswith(f"/{name}")]
        if not inside:
            raise _missing(name, "zip", archive.namelist(), data_set)
        member = inside[0]
        with open_member(archive, member, data_set) as stream:
            yield stream, data_set / member.filename


def _check_one_data_set(names: Sequence[str], data_set: Path) -> None:
    """Refuse a zip of several data sets: no rule says which one is meant.

    Raises:
        DataError: BEIR's files lie in several folders, or one of them is there twice.
    """
    files = [(name, folder) for name in names if (folder := _folder_of(name)) is not None]
    folders = list(dict.fromkeys(folder or "./" for _, folder in files))
    if len(folders) > 1:
        raise DataError(
            f"holds {len(folders)} data sets, {folders[0]} and {folders[1]}; expected one: unpack "
            "the zip and give the folder of one",
            path=data_set,
        )
    twice = [name for name, number in Counter(name for name, _ in files).items() if number > 1]
    if twice:
        raise DataError(f"holds {twice[0]} twice; expected it once", path=data_set)


def _folder_of(name: str) -> str | None:
    """Return the data set that a member of a zip belongs to; None if it is no file of BEIR's."""
    folder, _, file = name.rpartition("/")
    if file.endswith(".tsv") and folder.rpartition("/")[2] == "qrels":
        return folder.removesuffix("qrels")
    if file in ("corpus.jsonl", "queries.jsonl"):
        return f"{folder}/" if folder else ""
    return None


def _missing(name: str, kind: str, names: Sequence[str], data_set: Path) -> DataError:
    """Return the error about a missing file; one of several of a kind names the others."""
    folder, suffix = name.rpartition("/")[0], Path(name).suffix
    others = sorted({Path(one).stem for one in names if folder and _is_in(one, folder, suffix)})
    hint = f"there are: {', '.join(others)}" if others else "expected a BEIR data set"
    return DataError(f"no {name} in this {kind}; {hint}", path=data_set)


def _is_in(name: str, folder: str, suffix: str) -> bool:
    path = Path(name)
    return path.parent.name == folder and suffix in path.suffixes


def fingerprint_beir(data_set: Path, names: tuple[str, ...]) -> list[list[str | int]]:
    """Return name, size and modification time of the zip or of those files of the folder."""
    candidates = [data_set]
    if data_set.is_dir():
        candidates = [data_set / f"{name}{suffix}" for name in names for suffix in SUFFIXES]
    stats = ((file, file.stat()) for file in candidates if file.is_file())
    return [[str(file), stat.st_size, stat.st_mtime_ns] for file, stat in stats]
