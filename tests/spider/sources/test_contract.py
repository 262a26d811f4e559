"""What holds for every source of documents; a new one needs one entry in SOURCES."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from spider.errors import DataError
from spider.sources.beir import Beir
from spider.sources.document_source import DocumentSource
from spider.sources.folder import Folder
from spider.sources.hugging_face import HuggingFace
from spider.sources.jsonl import JsonLines
from spider.sources.psgs_w100 import PsgsW100
from spider.sources.python_documentation import PythonDocumentation
from spider.sources.wikiextractor import WikiExtractor

CONF = Path(__file__).resolve().parents[3] / "conf" / "source"
TEXTS = {"1": "the red house", "2": "a house by the river", "3": " \n"}


def folder(path: Path) -> Path:
    for name, text in TEXTS.items():
        (path / f"{name}.txt").write_text(text)
    return path


def jsonl(path: Path) -> Path:
    rows = [{"id": name, "title": "T", "text": text} for name, text in TEXTS.items()]
    (path / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path / "d.jsonl"


def beir(path: Path) -> Path:
    rows = [{"_id": name, "title": "", "text": text} for name, text in TEXTS.items()]
    (path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def psgs(path: Path) -> Path:
    rows = [f"{name}\t{text!r}\tT{name}\n" for name, text in TEXTS.items() if text.strip()]
    (path / "p.tsv").write_text("".join(["id\ttext\ttitle\n", *rows, "3\t \tT3\n"]))
    return path / "p.tsv"


def wikiextractor(path: Path) -> Path:
    articles = [f'<doc id="{n}" title="T{n}">\n{text}\n</doc>\n' for n, text in TEXTS.items()]
    (path / "wiki_00").write_text("".join(articles))
    return path


def parquet(path: Path) -> Path:
    pytest.importorskip("datasets")
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet as files

    columns = {"id": list(TEXTS), "title": ["T"] * 3, "text": list(TEXTS.values())}
    files.write_table(pa.table(columns), path / "rows.parquet")
    return path


def library(path: Path) -> Path:
    for name, text in TEXTS.items():
        (path / f"m{name}.py").write_text(f'"""{text}"""\n' if text.strip() else "x = 1\n")
    return path


SOURCES: dict[str, tuple[Callable[[Path], Path], Callable[[Path], DocumentSource]]] = {
    "folder": (folder, lambda path: Folder(path=path)),
    "jsonl": (jsonl, lambda path: JsonLines(path=path)),
    "beir": (beir, lambda path: Beir(path=path)),
    "psgs_w100": (psgs, lambda path: PsgsW100(path=path)),
    "wikiextractor": (wikiextractor, lambda path: WikiExtractor(path=path)),
    "hugging_face": (parquet, lambda path: HuggingFace(path=str(path))),
    "python_documentation": (
        library,
        lambda path: PythonDocumentation(include_topics=False, standard_library=path),
    ),
}
EACH = pytest.mark.parametrize("name", SOURCES)


def make(name: str, path: Path) -> DocumentSource:
    write, open_source = SOURCES[name]
    return open_source(write(path))


def test_every_source_of_conf_is_here() -> None:
    assert {file.stem for file in CONF.glob("*.yaml")} == set(SOURCES)


@EACH
def test_two_documents_and_one_without_a_word(name: str, tmp_path: Path) -> None:
    source = make(name, tmp_path)
    assert isinstance(source, DocumentSource)
    documents = list(source.documents())
    assert len({document.id for document in documents}) == len(documents) == 2
    assert [document.text.strip("'") for document in documents] == list(TEXTS.values())[:2]
    assert sorted(source.counts.values())[-2:] in ([1, 2], [0, 2])
    assert sum(count for key, count in source.counts.items() if "without" in key or "skip" in key)


@EACH
def test_reading_twice_gives_the_same(name: str, tmp_path: Path) -> None:
    source = make(name, tmp_path)
    first, counts = list(source.documents()), dict(source.counts)
    assert list(source.documents()) == first
    assert dict(source.counts) == counts


@EACH
def test_passages_that_a_source_cuts_are_slices_of_the_text(name: str, tmp_path: Path) -> None:
    for document in make(name, tmp_path).documents():
        for passage in document.passages or ():
            assert 0 <= passage.start < passage.end <= len(document.text)
            assert document.text[passage.start : passage.end].strip()


@EACH
def test_the_fingerprint_changes_with_the_files(name: str, tmp_path: Path) -> None:
    source = make(name, tmp_path)
    before = source.fingerprint()  # type: ignore[attr-defined]
    assert source.fingerprint() == before  # type: ignore[attr-defined]
    file = min(file for file in tmp_path.rglob("*") if file.is_file())
    file.write_bytes(file.read_bytes() + b"\n")
    os.utime(file, ns=(1, 1))
    assert source.fingerprint() != before  # type: ignore[attr-defined]


@EACH
def test_an_absent_path_is_named(name: str, tmp_path: Path) -> None:
    if name == "hugging_face":
        pytest.importorskip("datasets")
    source = SOURCES[name][1](tmp_path / "absent")
    with pytest.raises(DataError, match="absent"):
        list(source.documents())
