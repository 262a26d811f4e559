"""Recognises the format of documents by the path that a person gives, and by the first line.

The names are those of the sources in ``conf/source/``.
"""

import glob
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from spider.errors import DataError, MissingDependencyError
from spider.sources.extraction.file_types import file_types
from spider.sources.files.compression import COMPRESSIONS, open_zip
from spider.sources.text_files import read_text_lines

# files of a folder that are looked at; a larger one is recognised by these
FILES = 2_000
SAVED_DATA_SET = ("dataset_dict.json", "dataset_info.json", "state.json")
# what people put beside data
NOTES = ("readme", "license", "licence", "changelog", "citation")


class Recognised(NamedTuple):
    """A source, and why it was chosen.

    Attributes:
        source: the name of its yaml.
        reason: what the path shows, to be read after "since".
        pattern: the files to read, where that is not the path itself.
    """

    source: str
    reason: str
    pattern: str = ""


def recognise(path: Path) -> Recognised | None:
    """Return the source that reads a path; None where neither name nor content tells."""
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        return _by_name(path) or _by_first_line(path)
    if glob.has_magic(str(path)):
        return _by_name(path, exists=False)
    return None


def first_line(path: Path) -> str:
    """Return the first line of a file that is not empty; the empty string if there is none.

    Raises:
        DataError: it cannot be read as text.
    """
    return next((line.text for line in islice(read_text_lines(path), 100) if line.text), "")


def data_suffix(path: Path) -> str:
    """Return the last suffix in lower case, without that of a compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in COMPRESSIONS]
    return suffixes[-1] if suffixes else ""


def zip_holds(path: Path, name: str) -> bool:
    """Return whether a zip has a file of a name, in whatever folder."""
    try:
        with open_zip(path) as archive:
            return any(f"/{member}".endswith(f"/{name}") for member in archive.namelist())
    except DataError:
        return False


def _by_name(path: Path, *, exists: bool = True) -> Recognised | None:
    suffix = data_suffix(path)
    if suffix in (".jsonl", ".ndjson"):
        return Recognised("jsonl", f"its name ends in {suffix}")
    if suffix in (".tsv", ".tab"):
        return Recognised("psgs_w100", f"its name ends in {suffix}")
    if suffix in (".parquet", ".csv"):
        return Recognised("hugging_face", f"its name ends in {suffix}")
    if exists and suffix == ".zip" and zip_holds(path, "corpus.jsonl"):
        return Recognised("beir", "the zip holds corpus.jsonl")
    return None


def _by_first_line(path: Path) -> Recognised | None:
    try:
        line = first_line(path)
    except (DataError, MissingDependencyError):
        return None
    if line.startswith("<doc "):
        return Recognised("wikiextractor", "it begins with <doc")
    if {"id", "text", "title"} <= {cell.strip(' "').lower() for cell in line.split("\t")}:
        return Recognised("psgs_w100", "its first line names the columns id, text and title")
    if line.startswith("{"):
        return Recognised("jsonl", "it begins with a JSON object")
    if line.startswith("[") and data_suffix(path) == ".json":
        return Recognised("hugging_face", "it begins with a JSON list")
    return None


def _folder(path: Path) -> Recognised | None:
    if any((path / name).is_file() for name in SAVED_DATA_SET):
        return Recognised("hugging_face", "save_to_disk wrote the folder")
    if any((path / f"corpus.jsonl{end}").is_file() for end in ("", *COMPRESSIONS)):
        return Recognised("beir", "the folder holds corpus.jsonl")
    files = list(islice(_files(path), FILES))
    readable = {end for kind in file_types() for end in kind.suffixes}
    if any(_is_document(file, readable) for file in files):
        return Recognised("folder", "the folder holds documents")
    if any(file.stem.startswith("wiki_") and file.stem[5:].isdigit() for file in files):
        return Recognised("wikiextractor", "the folder holds files such as wiki_00")
    kinds = {data_suffix(file) for file in files}
    if ".parquet" in kinds:
        return Recognised("hugging_face", "the folder holds Parquet files")
    for suffix, source in ((".jsonl", "jsonl"), (".ndjson", "jsonl"), (".tsv", "psgs_w100")):
        if suffix in kinds:
            pattern = f"{glob.escape(str(path))}/**/*{suffix}*"
            return Recognised(source, f"the folder holds files that end in {suffix}", pattern)
    return None


def _files(path: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root) / name for name in sorted(names) if not name.startswith("."))


def _is_document(file: Path, readable: set[str]) -> bool:
    note = file.name.lower().startswith(NOTES)
    # wikiextractor's files have no suffix, or a number
    return file.suffix.lower() in readable - {""} and not note
