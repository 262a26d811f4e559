"""A folder of files as people have them."""

import os

import pytest

from spider.errors import DataError
from spider.sources.document_source import DocumentSource, FileSource
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
        latin_dot_txt=b"caf\xe9",
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


def test_unusual_names(tmp_path):
    names = ["it's (1) [x], {y}=z ~.txt", "ümläut 🦎.md", "under_score-dash.txt"]
    for name in names:
        (tmp_path / name).write_text("word")
    documents = {d.id: d.title for d in Folder(path=str(tmp_path)).documents()}
    assert sorted(documents) == sorted(names)
    assert documents["under_score-dash.txt"] == "under score dash"


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
    with pytest.raises(DataError, match=r"this is a file$"):
        list(Folder(path=tmp_path / "note.txt").documents())
