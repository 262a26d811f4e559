"""The source that a path belongs to."""

import gzip
import zipfile
from pathlib import Path

import pytest

from spider.sources.formats.recognition import recognise
from spider.sources.text_files import find_files

SOURCES = Path(__file__).resolve().parents[4] / "conf" / "source"
JSON = b'{"id": "a", "text": "one"}\n'


@pytest.mark.parametrize(
    ("name", "data", "source"),
    [
        ("docs.jsonl", JSON, "jsonl"),
        ("docs.JSONL.gz", gzip.compress(JSON, mtime=0), "jsonl"),
        ("docs.2024.ndjson", JSON, "jsonl"),
        ("lines.json", JSON, "jsonl"),
        ("lines.txt", JSON, "jsonl"),
        ("list.json", b'[{"id": "a"}]', "hugging_face"),
        ("rows.parquet", b"PAR1", "hugging_face"),
        ("rows.csv", b"id,text\n", "hugging_face"),
        ("psgs_w100.tsv.gz", gzip.compress(b"id\ttext\ttitle\n", mtime=0), "psgs_w100"),
        ("passages", b'\n"id"\t"title"\t"text"\n', "psgs_w100"),
        ("wiki_00", b'<doc id="1" title="T">\n', "wikiextractor"),
        ("notes.txt", b"words\n", None),
        ("book.pdf", b"%PDF-1.4\n\xff", None),
        ("broken.gz", b"no gzip", None),
        ("empty", b"", None),
        ("a.zip", b"PK no zip", None),
    ],
)
def test_files(name: str, data: bytes, source: str | None, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    found = recognise(tmp_path / name)
    assert (found and found.source) == source
    assert source is None or (SOURCES / f"{source}.yaml").is_file()


@pytest.mark.parametrize(
    ("names", "source"),
    [
        (["corpus.jsonl", "queries.jsonl", "README.md"], "beir"),
        (["corpus.jsonl.gz"], "beir"),
        (["dataset_dict.json", "train/data.arrow"], "hugging_face"),
        (["README.md", "data/train-00000-of-00001.parquet"], "hugging_face"),
        (["AA/wiki_00", "AB/wiki_01.bz2"], "wikiextractor"),
        (["notes/a.md", "b.parquet", "c.jsonl"], "folder"),
        (["a.docx"], "folder"),
        ([".hidden/a.md", "b.png"], None),
        ([], None),
    ],
)
def test_folders(names: list[str], source: str | None, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = recognise(tmp_path)
    assert (found and found.source) == source
    assert not (found and found.pattern)


@pytest.mark.parametrize(("suffix", "source"), [("jsonl", "jsonl"), ("tsv", "psgs_w100")])
def test_a_folder_of_rows_becomes_a_pattern(suffix: str, source: str, tmp_path: Path) -> None:
    folder = tmp_path / "rows [1]"
    (folder / "more").mkdir(parents=True)
    for name in (f"a.{suffix}", f"more/b.{suffix}.gz"):
        (folder / name).write_bytes(b"")
    found = recognise(folder)
    assert found is not None
    assert found.source == source
    assert [file.name for file in find_files(found.pattern)] == [f"a.{suffix}", f"b.{suffix}.gz"]


def test_a_zip_and_a_pattern(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("set/corpus.jsonl", JSON)
    found = recognise(tmp_path / "set.zip")
    assert found is not None
    assert found.source == "beir"
    found = recognise(tmp_path / "*.jsonl")
    assert found is not None
    assert found.source == "jsonl"
    assert recognise(tmp_path / "*.md") is None
    assert recognise(Path("wikimedia/wikipedia")) is None
