import gzip
import zipfile
from pathlib import Path

import pytest

from spider.errors import DataError
from spider.sources.beir_files import fingerprint_beir, open_beir_file


def content(data_set: Path, name: str) -> tuple[bytes, Path]:
    with open_beir_file(data_set, name) as (stream, path):
        return stream.read(), path


def test_a_folder_plain_or_compressed(tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_bytes(b"plain")
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress(b"packed"))
    assert content(tmp_path, "queries.jsonl") == (b"plain", tmp_path / "queries.jsonl")
    assert content(tmp_path, "corpus.jsonl") == (b"packed", tmp_path / "corpus.jsonl.gz")


def test_a_zip_with_and_without_a_folder_inside(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__MACOSX/set/._corpus.jsonl", "of macOS")
        archive.writestr("set/other/my-queries.jsonl", "other data")
        archive.writestr("set/qrels/test.tsv", "right")
        archive.writestr("set/my-corpus.jsonl", "not the corpus")
    assert content(path, "qrels/test.tsv") == (b"right", path / "set/qrels/test.tsv")
    with pytest.raises(DataError, match=r"no corpus\.jsonl in this zip"):
        content(path, "corpus.jsonl")


def test_the_fingerprint_is_of_the_files_that_are_read(tmp_path: Path) -> None:
    for name in ("corpus.jsonl", "queries.jsonl.gz", "notes.txt"):
        (tmp_path / name).write_bytes(b"12345")
    found = fingerprint_beir(tmp_path, ("corpus.jsonl", "queries.jsonl"))
    assert [(Path(str(name)).name, size) for name, size, _ in found] == [
        ("corpus.jsonl", 5),
        ("queries.jsonl.gz", 5),
    ]
    assert len(fingerprint_beir(tmp_path / "notes.txt", ("corpus.jsonl",))) == 1


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (["a/corpus.jsonl", "b/corpus.jsonl"], "holds 2 data sets, a/ and b/"),
        (["corpus.jsonl", "old/queries.jsonl"], "holds 2 data sets, ./ and old/"),
        (["a/corpus.jsonl", "a/qrels/test.tsv", "b/qrels/dev.tsv"], "2 data sets, a/ and b/"),
        (["a/corpus.jsonl", "a/a/corpus.jsonl", "c/queries.jsonl"], "3 data sets, a/ and a/a/"),
        (["corpus.jsonl", "corpus.jsonl"], "holds corpus.jsonl twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_data_sets_in_a_zip_are_refused(tmp_path: Path, members: list[str], said: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for member in members:
            archive.writestr(member, "{}")
    with pytest.raises(DataError, match=said):
        content(tmp_path / "x.zip", "corpus.jsonl")


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
@pytest.mark.parametrize("ends", [("", ".gz"), (".bz2", ".xz"), ("", ".zst")])
def test_a_file_that_is_there_plain_and_compressed_is_refused(
    tmp_path: Path, name: str, ends: tuple[str, str]
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    for end in ends:
        (tmp_path / f"{name}{end}").write_bytes(b"{}")
    with pytest.raises(DataError, match=f"{ends[1]}, and no rule says which.*remove or rename"):
        content(tmp_path, name)
    (tmp_path / f"{name}{ends[1]}").rename(tmp_path / "old.bak")
    if not ends[0]:
        assert content(tmp_path, name)[0] == b"{}"
