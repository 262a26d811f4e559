"""Lines of plain, compressed and damaged files."""

import bz2
import gzip
import lzma
import os

import pytest
import zstandard

from spider.errors import DataError
from spider.sources.text_files import (
    find_files,
    read_json_lines,
    read_text_lines,
)

COMPRESS = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


@pytest.mark.parametrize("suffix", COMPRESS)
def test_reads_every_compression(tmp_path, suffix):
    path = tmp_path / f"lines.txt{suffix}"
    path.write_bytes(COMPRESS[suffix]("\ufeffé\r\na\u2028b\n\n🦎".encode()))
    # U+2028 ends no line, and the byte order mark is no text
    assert list(read_text_lines(path)) == [(1, "é"), (2, "a\u2028b"), (3, ""), (4, "🦎")]


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_damaged_file_is_one_line(tmp_path, suffix):
    path = tmp_path / f"lines{suffix}"
    path.write_bytes(b"this is not compressed at all, whatever its name says")
    with pytest.raises(DataError, match=r"cannot be read further") as caught:
        list(read_text_lines(path))
    assert caught.value.line == 1


def test_truncated_file_is_noticed(tmp_path):
    path = tmp_path / "lines.gz"
    path.write_bytes(gzip.compress(b"line\n" * 10_000)[:-20])
    with pytest.raises(DataError, match="is the file complete"):
        list(read_text_lines(path))


def test_not_utf8_names_line_and_column(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("fine\nna\xefve\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.txt:2: not UTF-8 \(byte 0xef at column 3\)"):
        list(read_text_lines(path))


@pytest.mark.parametrize(
    ("line", "message"), [("{'a': 1}", "not JSON"), ("[1]", "got a list"), ('{"a"', "not JSON")]
)
def test_malformed_json_names_the_line(tmp_path, line, message):
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"a": 1}}\n\n{line}\n')
    rows = read_json_lines(path)
    assert next(rows) == (1, {"a": 1})
    with pytest.raises(DataError, match=message) as caught:
        next(rows)
    assert (caught.value.path, caught.value.line) == (path, 3)


def test_finds_files_by_name_glob_and_list(tmp_path):
    for name in ("b.txt", "a.txt", "c[1].txt"):
        (tmp_path / name).touch()
    assert [f.name for f in find_files(tmp_path / "?.txt")] == ["a.txt", "b.txt"]
    several = [str(tmp_path / "c[1].txt"), tmp_path / "a*"]
    assert [f.name for f in find_files(several)] == ["c[1].txt", "a.txt"]
    with pytest.raises(DataError, match="no such file"):
        find_files(tmp_path / "none*")
    with pytest.raises(DataError, match="a folder, expected files"):
        find_files(tmp_path)


def test_what_is_no_regular_file_is_named(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "gone").symlink_to("nothing")
    for name, said in (("pipe", "a pipe"), ("loop", "a loop"), ("zero", "a device"), ("gone", "")):
        with pytest.raises(DataError, match=rf"{name}: .*{said}"):
            find_files(tmp_path / name)
