"""What files may be: empty, damaged, of another encoding, with one huge line, beyond the BMP."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spider.errors import DataError
from spider.sources.beir import Beir
from spider.sources.jsonl import JsonLines
from spider.sources.psgs_w100 import PsgsW100
from spider.sources.text_files import read_text_lines, read_whole
from spider.sources.wikiextractor import WikiExtractor

Open = Callable[[Path], Any]
Write = Callable[[list[str]], str]

#: each format of one file: its name, how it is opened, and how texts are written
FORMATS: dict[str, tuple[str, Open, Write]] = {
    "jsonl": (
        "d.jsonl",
        lambda path: JsonLines(path=path),
        lambda texts: "".join(
            json.dumps({"id": str(n), "text": text}, ensure_ascii=False) + "\n"
            for n, text in enumerate(texts)
        ),
    ),
    "beir": (
        "corpus.jsonl",
        lambda path: Beir(path=path.parent),
        lambda texts: "".join(
            json.dumps({"_id": str(n), "title": "", "text": text}, ensure_ascii=False) + "\n"
            for n, text in enumerate(texts)
        ),
    ),
    "psgs_w100": (
        "p.tsv",
        lambda path: PsgsW100(path=path),
        lambda texts: (
            "id\ttext\ttitle\n" + "".join(f"{n}\t{text}\tT{n}\n" for n, text in enumerate(texts))
        ),
    ),
    "wikiextractor": (
        "wiki_00",
        lambda path: WikiExtractor(path=path),
        lambda texts: "".join(
            f'<doc id="{n}" title="T{n}">\n{text}\n</doc>\n' for n, text in enumerate(texts)
        ),
    ),
}
EACH = pytest.mark.parametrize("name", FORMATS)
TEXTS = ["Zürich 東京", "🦎 lizards 𝒳 and e\u0301", "a\u2028b\u00a0c"]
COMPRESSIONS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def put(name: str, folder: Path, data: bytes) -> Any:
    file, open_source, _ = FORMATS[name]
    (folder / file).write_bytes(data)
    return open_source(folder / file)


@EACH
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_text_beyond_the_bmp_comes_back(name: str, mark: bytes, end: str, tmp_path: Path) -> None:
    written = FORMATS[name][2](TEXTS).replace("\n", end)
    source = put(name, tmp_path, mark + written.encode())
    assert [document.text for document in source.documents()] == TEXTS
    assert not source.skipped


@EACH
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_one_line_that_names_the_file(
    name: str, encoding: str, tmp_path: Path
) -> None:
    source = put(name, tmp_path, FORMATS[name][2](["Zürich"]).encode(encoding))
    with pytest.raises(DataError, match="not UTF-8") as caught:
        list(source.documents())
    assert FORMATS[name][0] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


@EACH
def test_an_empty_file_has_no_documents_or_says_what_it_lacks(name: str, tmp_path: Path) -> None:
    source = put(name, tmp_path, b"")
    if name == "psgs_w100":
        with pytest.raises(DataError, match="the header lacks"):
            list(source.documents())
    else:
        assert list(source.documents()) == []


@EACH
def test_a_line_of_a_hundred_thousand_letters_is_read(name: str, tmp_path: Path) -> None:
    # csv's own limit of a field is 131,072
    text = "word " * 20_000 + "end"
    (document,) = put(name, tmp_path, FORMATS[name][2]([text]).encode()).documents()
    assert document.text == text


@EACH
def test_a_file_without_its_last_line_break_is_whole(name: str, tmp_path: Path) -> None:
    source = put(name, tmp_path, FORMATS[name][2](TEXTS).rstrip("\n").encode())
    assert [document.text for document in source.documents()] == TEXTS


@EACH
def test_documents_before_the_damage_are_given(name: str, tmp_path: Path) -> None:
    source = put(name, tmp_path, FORMATS[name][2](["one", "two"]).encode() + b"\xff\xfe\n")
    documents = source.documents()
    assert next(documents).text == "one"
    with pytest.raises(DataError):
        list(documents)


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("cut", [1, 20])
def test_a_download_that_broke_off_is_noticed(suffix: str, cut: int, tmp_path: Path) -> None:
    path = tmp_path / f"lines.txt{suffix}"
    whole = COMPRESSIONS[suffix]("".join(f"line {n}\n" for n in range(2000)).encode())
    path.write_bytes(whole[:-cut])
    with pytest.raises(DataError, match="is the file complete"):
        read_whole(path)
    with pytest.raises(DataError, match="is the file complete"):
        list(read_text_lines(path))
    path.write_bytes(whole)
    assert read_whole(path).count(b"\n") == len(list(read_text_lines(path))) == 2000


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=80))
@EACH
def test_any_bytes_are_read_or_refused_in_one_line(name: str, data: bytes, tmp_path: Path) -> None:
    try:
        documents = list(put(name, tmp_path, data).documents())
    except DataError as error:
        message = str(error)
        assert FORMATS[name][0] in message
        return
    assert all(document.text.split() for document in documents)
