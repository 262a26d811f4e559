"""Each failure to read is one error of the tree that names the file."""

import io
import lzma
import os
import socket
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spider.errors import ArtifactError, CheckpointError, DataError, SpiderError
from spider.reading import (
    describe,
    list_folder,
    open_regular,
    parse_json,
    read_bytes,
    read_json,
    read_json_object,
    read_text,
    reading,
)


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b'\xef\xbb\xbf{"a": "\xc3\xa9\\r\\n"}\r\n')
    assert read_text(file) == '{"a": "é\\r\\n"}\r\n'
    assert read_json(file) == read_json_object(file) == {"a": "é\r\n"}
    assert read_bytes(str(file)) == file.read_bytes()
    assert list_folder(tmp_path) == [file]
    with open_regular(file) as stream:
        assert isinstance(stream, io.BufferedReader)
        assert stream.name == str(file)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path has at most 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such file"),
        (Path.mkdir, "a folder, expected a regular file"),
        (fifo, "a pipe, expected a regular file"),
        (bound_socket, "a socket"),
        (loop, "its symbolic links form a loop"),
        (lambda path: path.symlink_to("/dev/zero"), "a device, expected a regular file"),
        (lambda path: path.symlink_to("gone"), "no such file"),
    ],
)
def test_what_is_no_regular_file(make: Callable[[Path], Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "here"
    make(path)
    with pytest.raises(DataError, match=said) as caught:
        read_bytes(path)
    assert str(caught.value).startswith(f"{path}: ")
    with pytest.raises(ArtifactError, match=said):
        open_regular(path, error=ArtifactError)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a\0b", "null byte"),
        ("a" * 300, "name is too long"),
        ("a/b/c", "no such file"),
        ("file/c", "a part of its path is no folder"),
        ("\ud83d", "a character that the file system cannot store"),
    ],
)
def test_names_that_no_file_has(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=said):
        read_bytes(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.touch(mode=0o000)
    with pytest.raises(DataError, match="permission denied; chmod"):
        read_text(file)


def test_a_folder_that_is_not_one(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such file"):
        list_folder(tmp_path / "gone", error=ArtifactError)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"a:3: not JSON: Expecting value at column 1"),
        ("[" * 20_000, "nested too deeply"),
        ("9" * 5_000, "limit"),
        ('{"a": 1}}', "not JSON: Extra data at column 9"),
    ],
)
def test_texts_that_are_not_json(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        parse_json(text, "a", line=3)


def test_the_line_of_a_json_error_is_the_files(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{\n"a": 1,\n}')
    with pytest.raises(DataError, match=r"a\.json:3: not JSON"):
        read_json(file)
    file.write_bytes(b"\xff\xfe[1]")
    with pytest.raises(CheckpointError, match=r"not UTF-8 .byte 0xff at 0.; convert"):
        read_json(file, error=CheckpointError)
    file.write_text("[1]")
    with pytest.raises(DataError, match="expected a JSON object, got a list"):
        read_json_object(file)


@pytest.mark.parametrize("error", [DataError, ArtifactError, CheckpointError])
def test_lines_are_named_in_every_class(error: type[SpiderError]) -> None:
    def read() -> None:
        with reading("a", error=error) as place:
            place.line = 7
            raise EOFError

    with pytest.raises(error, match=r"^a:7: damaged or incomplete$"):
        read()


@pytest.mark.parametrize(
    "failure",
    [lzma.LZMAError("x"), zlib.error("x"), zipfile.BadZipFile("x"), OSError("x"), EOFError("x")],
)
def test_damaged_content(failure: Exception) -> None:
    assert describe(failure) == "damaged or incomplete: x"


def test_a_bug_of_ours_stays_what_it_is_and_a_library_may_raise_anything() -> None:
    with pytest.raises(KeyError), reading("a"):
        raise KeyError("x")
    with pytest.raises(DataError, match=r"^a: cannot be read: KeyError: 'x'$"):  # noqa: SIM117
        with reading("a", foreign=True):
            raise KeyError("x")
    with pytest.raises(ArtifactError, match=r"^mine$"), reading("a", foreign=True):
        raise ArtifactError("mine")


def test_messages_are_one_short_line() -> None:
    said = describe(ValueError("a\nb" * 1000))
    assert said is not None
    assert "\n" not in said
    assert len(said) < 350
