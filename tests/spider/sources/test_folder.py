"""A folder of files as people have them."""

import errno
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spider.errors import DataError
from spider.sources.document_source import DocumentSource, FileSource
from spider.sources.files.limits import ExtractionLimits
from spider.sources.folder import Folder


def fill(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_reads_what_is_text_and_lists_the_rest(tmp_path):
    fill(
        tmp_path,
        b_dot_txt="plain",
        a_dot_md="# Head\ntext",
        sub__deep__c_dot_html="<title>T</title><p>html",
        image_dot_png=b"\x89PNG\0",
        binary_dot_txt=b"a\0b",
        latin_dot_txt=b"\xe9\xe9",
        empty_dot_txt=" \n",
        paper_dot_pdf=b"%PDF-1.4",
        noSuffix="x",
    )
    fill(tmp_path / ".git", config_dot_txt="hidden")
    (tmp_path / ".hidden.txt").write_text("hidden")
    source = Folder(path=tmp_path)
    documents = list(source.documents())
    assert [(d.id, d.title, d.text) for d in documents] == [
        ("a.md", "Head", "# Head\ntext"),
        ("b.txt", "b", "plain"),
        ("sub/deep/c.html", "T", "html"),
    ]
    counts = dict(source.counts)
    pdf = {name for name in counts if "pdf" in name}
    for name in pdf:
        assert counts.pop(name) == 1
    assert counts == {
        "files_read": 3,
        "skipped_format.png": 1,
        "skipped_format_without_suffix": 1,
        "skipped_binary": 1,
        "skipped_not_utf8": 1,
        "skipped_empty": 1,
    }
    assert source.skipped["binary"]["examples"] == ["binary.txt"]
    assert isinstance(source, DocumentSource)
    assert isinstance(source, FileSource)


def test_encodings_are_counted(tmp_path):
    fill(tmp_path, a_dot_txt="café", b_dot_txt="café".encode("cp1252"))
    fill(tmp_path, c_dot_md="a b c".encode("utf-16"), d_dot_html="<p>é a".encode("cp1252"))
    source = Folder(path=tmp_path)
    assert [d.text for d in source.documents()] == ["café", "café", "a b c", "é a"]
    assert source.counts == {"files_read": 4, "decoded_cp1252": 2, "decoded_utf-16": 1}


def test_unusual_names(tmp_path):
    names = ["it's (1) [x], {y}=z ~.txt", "ümläut 🦎.md", "under_score-dash.txt"]
    for name in names:
        (tmp_path / name).write_text("word")
    documents = {d.id: d.title for d in Folder(path=str(tmp_path)).documents()}
    assert sorted(documents) == sorted(names)
    assert documents["under_score-dash.txt"] == "under score dash"


def test_names_with_newlines_bytes_that_are_no_utf8_and_great_length(tmp_path):
    folder = os.fsencode(tmp_path)
    names = [b"a\nb.txt", b"caf\xe9.txt", b"caf\xe8.txt", "café.txt".encode(), b"\xff/x.txt"]
    names += [b"n" * 250 + b".txt", b"caf\\xe8.txt", b"\x1b[31m.txt"]
    Path(os.fsdecode(folder + b"/\xff")).mkdir()
    for name in names:
        Path(os.fsdecode(folder + b"/" + name)).write_bytes(b"word")
    source = Folder(path=tmp_path)
    ids = [d.id for d in source.documents()]
    # the name with a backslash is written as that with the byte: one of the two is skipped
    expected = ["a\nb.txt", "caf\\xe8.txt", "caf\\xe9.txt", "café.txt", "n" * 250 + ".txt"]
    assert sorted(ids) == sorted([*expected, "\x1b[31m.txt", "\\xff/x.txt"])
    assert source.skipped["same_name"]["examples"] == ["caf\\xe8.txt"]
    "".join(ids).encode()
    assert len(source.fingerprint()) >= len(ids)


def test_what_cannot_be_read_is_listed_and_the_rest_is_read(tmp_path, monkeypatch):
    fill(tmp_path, a_dot_txt="a", closed__b_dot_txt="b", gone_dot_txt="c", denied_dot_txt="d")
    fill(tmp_path, z__e_dot_txt="e")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    scandir, open_file = os.scandir, os.open

    def closed(path):
        # root may read everything, so the permission is denied here
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "denied", str(path))
        return scandir(path)

    def denied(path, *arguments, **options):
        if Path(path).name == "denied.txt":
            raise PermissionError(errno.EACCES, "denied", str(path))
        if Path(path).name == "gone.txt":
            raise FileNotFoundError(errno.ENOENT, "gone", str(path))
        return open_file(path, *arguments, **options)

    monkeypatch.setattr(os, "scandir", closed)
    monkeypatch.setattr(os, "open", denied)
    source = Folder(path=tmp_path)
    assert [d.id for d in source.documents()] == ["a.txt", "z/e.txt"]
    listed = {reason: entry["examples"] for reason, entry in source.skipped.items()}
    assert listed == {
        "unreadable_folder": ["closed/"],
        "unreadable": ["denied.txt"],
        "vanished": ["gone.txt"],
        "folder_link": ["again"],
        "not_a_file": ["loop.txt"],
    }
    assert "permission denied" in source.skipped["unreadable_folder"]["hint"]
    assert "permission denied" in source.skipped["unreadable"]["hint"]
    assert [name for name, *_ in source.fingerprint() if "/" in name] == ["z/e.txt"]


@pytest.mark.parametrize(("name", "depth", "read"), [("d", 300, True), ("d" * 250, 20, False)])
def test_deep_folders_are_walked_and_paths_that_are_too_long_are_listed(
    name, depth, read, tmp_path
):
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        here, outer = os.open(name, os.O_RDONLY, dir_fd=here), here
        os.close(outer)
    file = os.open("x.txt", os.O_WRONLY | os.O_CREAT, dir_fd=here)
    os.write(file, b"deep")
    for opened in (file, here):
        os.close(opened)
    source = Folder(path=tmp_path)
    limit = sys.getrecursionlimit()
    # os.walk recurses in Python 3.11; 1,100 folders would show it, and take 15 s
    sys.setrecursionlimit(len(inspect.stack()) + 200)
    try:
        assert [d.text for d in source.documents()] == ["deep"] * read
    finally:
        sys.setrecursionlimit(limit)
    assert source.counts.get("skipped_unreadable_folder", 0) == (not read)
    subprocess.run(["rm", "-r", str(tmp_path / name)], check=True)


def test_manifests_of_others_do_not_stop_the_walk(tmp_path):
    fill(tmp_path, a__x_dot_txt="a", b__x_dot_txt="b", c__x_dot_txt="c", d__x_dot_txt="d")
    os.mkfifo(tmp_path / "a" / "manifest.json")
    (tmp_path / "b" / "manifest.json").write_text("[" * 100_000)
    (tmp_path / "c" / "manifest.json").write_text("[1, 2]")
    (tmp_path / "d" / "manifest.json").mkdir()
    assert len(list(Folder(path=tmp_path).documents())) == 4


def test_a_file_over_a_limit_is_skipped_with_the_setting_that_raises_it(tmp_path):
    fill(tmp_path, a_dot_txt="a", huge_dot_txt="", b_dot_html="b")
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(10 << 40)
    source = Folder(path=tmp_path, limits=ExtractionLimits(largest_mib=1))
    assert [d.id for d in source.documents()] == ["a.txt", "b.html"]
    skipped = source.skipped["over_size"]
    assert skipped["examples"] == ["huge.txt"]
    assert "source.limits.largest_mib=NUMBER" in skipped["hint"]


def test_own_artifacts_and_excluded_folders_are_not_entered(tmp_path):
    fill(tmp_path, a_dot_txt="a", node_modules__b_dot_txt="b", report__report_dot_md="ours")
    (tmp_path / "report" / "manifest.json").write_text('{"schema": 1, "content_hash": "x"}')
    fill(tmp_path, index_dot_partial__c_dot_txt="half")
    (tmp_path / "index.partial" / ".fingerprint.json").write_text("[]")
    fill(tmp_path, site__d_dot_txt="d", site__manifest_dot_json="not json")
    ids = [d.id for d in Folder(path=tmp_path).documents()]
    assert ids == ["a.txt", "site/d.txt"]


def test_a_pipe_or_dangling_link_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "link.txt").symlink_to(tmp_path / "gone")
    source = Folder(path=tmp_path)
    assert list(source.documents()) == []
    assert source.skipped["not_a_file"]["examples"] == ["link.txt", "pipe.txt"]
    assert source.fingerprint()


def test_missing_folder_and_file_are_data_errors(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        list(Folder(path=tmp_path / "none").documents())
    (tmp_path / "f.txt").write_text("x")
    with pytest.raises(DataError, match="is a file"):
        list(Folder(path=tmp_path / "f.txt").documents())


def test_fingerprint_sees_every_change(tmp_path):
    fill(tmp_path, a_dot_txt="a")
    source = Folder(path=tmp_path)
    before = source.fingerprint()
    assert source.fingerprint() == before
    os.utime(tmp_path / "a.txt", ns=(1, 1))
    touched = source.fingerprint()
    fill(tmp_path, b_dot_txt="b")
    assert len({str(print_) for print_ in (before, touched, source.fingerprint())}) == 3


def test_a_file_is_refused_with_the_source_that_reads_it(tmp_path):
    fill(tmp_path, docs_dot_jsonl='{"id": "a", "text": "t"}', note_dot_txt="words")
    with pytest.raises(DataError, match=r"is a file; spider prepare reads it with source=jsonl$"):
        list(Folder(path=tmp_path / "docs.jsonl").documents())
    with pytest.raises(DataError, match=f"this is a file; give the folder .*, {tmp_path}$"):
        list(Folder(path=tmp_path / "note.txt").documents())
