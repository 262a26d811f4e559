"""The verb prepare: a corpus from a source, and the same bytes from an older one."""

import json
import os

import pytest

from spider.artifacts.artifact import open_artifact
from spider.corpus.corpus import Corpus
from spider.corpus.splitting import WordSplitter
from spider.errors import ArtifactError, DataError
from spider.sources import folder as folder_source
from spider.sources.extraction import file_types, html_text
from spider.sources.folder import Folder
from spider.sources.jsonl import JsonLines
from spider.sources.preparation import SOURCES
from spider.sources.psgs_w100 import PsgsW100
from spider.verbs.prepare import PrepareSettings, main


def prepare(source, output, *, words=5, overwrite=False):
    resolved = {
        "source": {"_target_": type(source).__qualname__},
        "splitter": {"words": words},
    }
    main(
        PrepareSettings(
            source=source,
            splitter=WordSplitter(words=words, minimum_tail=2),
            output=output,
            overwrite=overwrite,
            resolved=resolved,
        )
    )
    return Corpus.open(output)


def payload(path):
    return {
        file.name: file.read_bytes()
        for file in path.iterdir()
        if file.is_file() and file.name != "manifest.json"
    }


@pytest.fixture
def notes(tmp_path):
    notes = tmp_path / "notes"
    (notes / "sub").mkdir(parents=True)
    (notes / "a.md").write_text("# Lizards\n\n" + " ".join(f"🦎{n}" for n in range(13)))
    (notes / "b.html").write_text("<title>B</title><p>one &lt; two three four five six seven")
    (notes / "sub" / "c.txt").write_text("é " * 9)
    (notes / "x.txt").write_bytes(b"\0")
    return notes


def test_a_folder_becomes_a_corpus(notes, tmp_path):
    corpus = prepare(Folder(path=notes), tmp_path / "corpus")
    assert [corpus.document_id(n) for n in range(3)] == ["a.md", "b.html", "sub/c.txt"]
    assert corpus.title(0) == "Lizards"
    assert corpus.text(0) == "# Lizards\n\n🦎0 🦎1 🦎2"
    for position in range(len(corpus)):
        passage = corpus.passage(position)
        document = corpus.document(corpus.document_number(position))
        assert document.text[passage.start : passage.end] == passage.text
    counts = corpus.artifact.counts
    assert (counts["documents"], counts["words"], counts["passages"]) == (3, 32, 7)
    assert (counts["files_read"], counts["skipped_binary"]) == (3, 1)
    assert corpus.artifact.details["splitter"]["words"] == 5
    skipped = corpus.artifact.manifest["volatile"]["skipped"]
    assert skipped["binary"]["examples"] == ["x.txt"]


def test_up_to_date_until_a_file_changes(notes, tmp_path, caplog):
    output = tmp_path / "corpus"
    prepare(Folder(path=notes), output)
    before = (output / "manifest.json").stat().st_ino
    prepare(Folder(path=notes), output)
    assert (output / "manifest.json").stat().st_ino == before
    os.utime(notes / "a.md", ns=(5, 5))
    with pytest.raises(ArtifactError, match="overwrite=true"):
        prepare(Folder(path=notes), output)


def test_touched_and_moved_files_keep_the_content_hash(notes, tmp_path):
    output = tmp_path / "corpus"
    first = prepare(Folder(path=notes), output).artifact.content_hash
    os.utime(notes / "a.md", ns=(5, 5))
    assert prepare(Folder(path=notes), output, overwrite=True).artifact.content_hash == first
    moved = notes.rename(tmp_path / "moved")
    assert prepare(Folder(path=moved), tmp_path / "other").artifact.content_hash == first
    assert prepare(Folder(path=moved), tmp_path / "six", words=6).artifact.content_hash != first


def test_incremental_equals_fresh(notes, tmp_path, monkeypatch):
    output = tmp_path / "corpus"
    prepare(Folder(path=notes), output)
    (notes / "a.md").unlink()
    (notes / "new.html").write_text("<h1>New</h1>" + "w " * 30)
    (notes / "sub" / "c.txt").write_text("changed " * 12)
    extracted = []

    def extract(data):
        extracted.append(data)
        return html_text.extract(data)

    counted = tuple(
        kind._replace(extract=extract, isolated=False) if kind.name == "html_text" else kind
        for kind in file_types.file_types()
    )
    monkeypatch.setattr(folder_source, "file_types", lambda: counted)
    again = prepare(Folder(path=notes), output, overwrite=True)
    assert len(extracted) == 1, "only new.html: b.html is as it was"
    changes = again.artifact.manifest["volatile"]["changes"]
    assert changes == {"added": 1, "changed": 1, "deleted": 1, "unchanged": 1}
    fresh = prepare(Folder(path=notes), tmp_path / "fresh")
    assert payload(output) == payload(tmp_path / "fresh")
    assert (output / SOURCES / "files.jsonl").read_bytes() == (
        tmp_path / "fresh" / SOURCES / "files.jsonl"
    ).read_bytes()
    assert again.artifact.content_hash == fresh.artifact.content_hash
    assert again.artifact.counts == fresh.artifact.counts


def test_other_settings_reuse_nothing(notes, tmp_path):
    output = tmp_path / "corpus"
    prepare(Folder(path=notes), output)
    again = prepare(Folder(path=notes), output, words=6, overwrite=True)
    assert again.artifact.manifest["volatile"]["changes"]["added"] == 3
    prepare(Folder(path=notes), tmp_path / "fresh", words=6)
    assert payload(output) == payload(tmp_path / "fresh")


def test_a_file_that_is_no_text_any_more_leaves(notes, tmp_path):
    output = tmp_path / "corpus"
    prepare(Folder(path=notes), output)
    (notes / "a.md").write_bytes(b"\0")
    (notes / "x.txt").write_text("now text")
    again = prepare(Folder(path=notes), output, overwrite=True)
    assert [again.document_id(n) for n in range(3)] == ["b.html", "x.txt", "sub/c.txt"]
    changes = again.artifact.manifest["volatile"]["changes"]
    assert changes == {"added": 1, "changed": 0, "deleted": 1, "unchanged": 2}


def test_nothing_usable_says_what_was_skipped(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="nothing to read") as caught:
        prepare(Folder(path=empty), tmp_path / "corpus")
    assert caught.value.exit_code == 3
    (empty / "a.txt").write_bytes(b"\0")
    (empty / "b.txt").write_bytes(b"\xe9\xe9")
    with pytest.raises(DataError, match=r"1 binary, 1 not_utf8 \(.*converts the file\)"):
        prepare(Folder(path=empty), tmp_path / "corpus")
    (empty / "a.txt").write_text("word")
    assert len(prepare(Folder(path=empty), tmp_path / "corpus")) == 1


def test_a_malformed_line_leaves_the_old_corpus(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "1", "text": "old"}\n')
    output = tmp_path / "corpus"
    prepare(JsonLines(path=path), output)
    path.write_text('{"id": "1", "text": "new"}\nnonsense\n')
    with pytest.raises(DataError, match=r"rows\.jsonl:2"):
        prepare(JsonLines(path=path), output, overwrite=True)
    assert Corpus.open(output).text(0) == "old"
    path.write_text('{"id": "1", "text": "new"}\n')
    assert prepare(JsonLines(path=path), output, overwrite=True).text(0) == "new"


def test_duplicate_ids_are_refused(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "x", "text": "a"}\n' * 2)
    with pytest.raises(DataError, match="two documents have the id 'x'"):
        prepare(JsonLines(path=path), tmp_path / "corpus")


def test_padding_is_recorded(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_text("id\ttext\ttitle\n1\ta b\tT\n2\tc\tT\n")
    corpus = prepare(PsgsW100(path=path), tmp_path / "corpus")
    assert corpus.last_passage_padded
    assert [corpus.passage_id(p) for p in range(2)] == ["1", "2"]
    assert corpus.position("2") == 1


def test_surrogates_from_json_are_counted(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"id": "1", "text": "a \ud800 b"}) + "\n")
    corpus = prepare(JsonLines(path=path), tmp_path / "corpus")
    assert corpus.text(0) == "a \ufffd b"
    assert open_artifact(tmp_path / "corpus").counts["surrogates_replaced"] == 1
