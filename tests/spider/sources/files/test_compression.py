"""Every compressed file is read to its end, or refused in one line."""

import bz2
import gzip
import lzma
import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import zstandard

from spider.errors import DataError
from spider.sources.files import compression
from spider.sources.files.compression import StreamError, open_binary, open_member, open_zip
from spider.sources.text_files import read_text_lines, read_whole

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
EACH = pytest.mark.parametrize("suffix", COMPRESS)
TEXT = b"".join(b"line %d of a text that does not repeat %d\n" % (n, n * n) for n in range(3000))


def put(folder: Path, suffix: str, data: bytes) -> Path:
    path = folder / f"lines.txt{suffix}"
    path.write_bytes(data)
    return path


@EACH
def test_members_one_after_the_other_are_one_file(suffix: str, tmp_path: Path) -> None:
    compress = COMPRESS[suffix]
    parts = compress(TEXT) + compress(b"") + compress(b"the end")
    assert read_whole(put(tmp_path, suffix, parts)) == TEXT + b"the end"
    # a tape or a disk image fills a file up with zero bytes
    for zeros in (1, 512, 70_000):
        path = put(tmp_path, suffix, parts + bytes(zeros) + compress(b"!") + bytes(zeros))
        assert read_whole(path) == TEXT + b"the end!"


@EACH
def test_every_cut_is_noticed(suffix: str, tmp_path: Path) -> None:
    whole = COMPRESS[suffix](TEXT)
    for size in {0, 1, 3, 5, 10, len(whole) // 2, len(whole) - 9, len(whole) - 4, len(whole) - 1}:
        path = put(tmp_path, suffix, whole[:size])
        with pytest.raises(DataError, match="is the file complete") as caught:
            list(read_text_lines(path))
        assert "\n" not in str(caught.value)
        # the same where the cut is in the last of several members
        path = put(tmp_path, suffix, whole + whole[:size])
        if size:
            with pytest.raises(DataError, match="is the file complete"):
                read_whole(path)


@EACH
@pytest.mark.parametrize(
    "garbage", [b"\n", b"<html>404</html>", b"\0\0x", b"\x1f", b"\x9e\xa3~\xd1=\x02\xf7k\xc8"]
)
def test_what_follows_the_end_is_named(suffix: str, garbage: bytes, tmp_path: Path) -> None:
    whole = COMPRESS[suffix](TEXT)
    with pytest.raises(DataError, match=rf"at byte ({len(whole)}|{len(whole) + 2}): .*complete"):
        read_whole(put(tmp_path, suffix, whole + garbage))


@EACH
def test_flipped_bits_are_noticed(suffix: str, tmp_path: Path) -> None:
    whole = COMPRESS[suffix](TEXT)
    for place in range(20, len(whole), len(whole) // 60):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        with pytest.raises(DataError):
            read_whole(put(tmp_path, suffix, bytes(damaged)))


def test_frames_that_a_reader_skips(tmp_path: Path) -> None:
    skipped = b"\x52\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"12345"
    frame = zstandard.ZstdCompressor(write_content_size=False).compress(TEXT)
    path = put(tmp_path, ".zst", skipped + frame + skipped + frame + skipped)
    assert read_whole(path) == TEXT * 2


@EACH
def test_a_small_file_that_inflates_without_end_is_refused(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 8 MiB of zeros: 45 bytes of bzip2, 1.3 KiB of xz, 0.3 KiB of zstd, 8 KiB of gzip
    path = put(tmp_path, suffix, COMPRESS[suffix](bytes(8 << 20)))
    assert len(read_whole(path)) == 8 << 20
    monkeypatch.setattr(compression, "FREE_BYTES", 4 << 20)
    with pytest.raises(DataError, match="inflates to more than 200 times its size"):
        read_whole(path)
    with pytest.raises(DataError, match=r"/lines\.txt\.\w+:1: .*inflates to more than"):
        list(read_text_lines(path))


def test_windows_of_gigabytes_are_refused(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, write_content_size=False)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = stream.compress(TEXT) + stream.flush()
    with pytest.raises(DataError, match=r"memory|window"):
        read_whole(put(tmp_path, ".zst", data))


def zipped(folder: Path, **members: bytes) -> Path:
    path = folder / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def read_member(path: Path, name: str) -> bytes:
    with open_zip(path) as archive:
        member = next(m for m in archive.infolist() if m.filename == name)
        with open_member(archive, member, path) as stream:
            return stream.read()


def test_a_zip_is_read_or_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, a=TEXT, b=b"b")
    assert read_member(path, "a") == TEXT
    whole = path.read_bytes()
    for place in range(40, len(whole), len(whole) // 40):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        path.write_bytes(damaged)
        with suppress(DataError, StreamError, StopIteration):
            assert read_member(path, "a") == TEXT
    path.write_bytes(whole[:-30])
    with pytest.raises(DataError, match=r"set\.zip: "):
        read_member(path, "a")


def test_an_encrypted_member_and_a_bomb_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path, a=bytes(8 << 20))
    monkeypatch.setattr(compression, "FREE_BYTES", 4 << 20)
    with pytest.raises(StreamError, match="inflates to more than"):
        read_member(path, "a")
    data = bytearray(zipped(tmp_path, a=TEXT).read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"cannot be decompressed: .*encrypted"):
        read_member(path, "a")


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    for name in ("pipe.gz", "pipe.txt"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(DataError, match="a pipe"):
            open_binary(tmp_path / name)


@EACH
@pytest.mark.parametrize("name", ["rows.jsonl", "rows", "rows.txt.gz", "rows.zst", "rows.BZ2"])
def test_a_renamed_file_is_read_by_its_first_bytes(suffix: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(COMPRESS[suffix](TEXT))
    assert read_whole(path) == TEXT
    path.write_bytes(COMPRESS[suffix](TEXT)[:-9])
    with pytest.raises(DataError, match="is the file complete"):
        read_whole(path)


@pytest.mark.parametrize("data", [b"BZh is a text", b"PK", b"(\xc2\xb5", b"", b"7z", b"Rar!"])
def test_texts_that_begin_like_a_compressed_file_are_texts(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)
    assert read_whole(path) == data


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.tsv", "rows.gz"])
def test_archives_are_named(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        assert archive.namelist() == []
    with pytest.raises(DataError, match="an empty zip, expected text; unpack it"):
        read_whole(tmp_path / name)
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("rows.jsonl", "{}")
    with pytest.raises(DataError, match="a zip, expected text; unpack it"):
        list(read_text_lines(tmp_path / name))
