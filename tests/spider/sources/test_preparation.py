"""Writing a corpus; tests/spider/verbs/test_prepare.py reuses an older one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spider.corpus.document import Document, PassageBounds
from spider.corpus.splitting import WordSplitter
from spider.errors import DataError
from spider.sources.folder import Folder
from spider.sources.preparation import RECORDS, SOURCES, Preparation


class Given:
    last_passage_padded = True

    def __init__(self, *documents: Document):
        self.given = documents
        self.counts = {"rows_read": len(documents)}

    def documents(self) -> Iterator[Document]:
        yield from self.given


def preparation(source: object) -> Preparation:
    splitter = WordSplitter(words=2, minimum_tail=0)
    return Preparation(source=source, splitter=splitter, previous=None, config={})  # type: ignore[arg-type]


def test_only_uncut_documents_are_split(tmp_path: Path) -> None:
    whole = Document(id="a", title="", text="one two three")
    cut = Document(id="b", title="", text="x y z", passages=(PassageBounds("own", 0, 5),))
    counts = preparation(Given(whole, cut)).write(tmp_path)
    assert (counts["documents"], counts["passages"], counts["words"]) == (2, 3, 6)
    assert counts["rows_read"] == 2


def test_the_record_describes_source_and_splitter() -> None:
    record = preparation(Given()).record
    assert record.last_passage_padded is True
    assert record.splitter["words"] == 2
    assert preparation(Folder(path=".")).record.last_passage_padded is False


def test_records_of_files_are_kept(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("words")
    (tmp_path / "notes" / "b.png").write_bytes(b"")
    (tmp_path / "out").mkdir()
    work = preparation(Folder(path=tmp_path / "notes"))
    work.write(tmp_path / "out")
    lines = (tmp_path / "out" / SOURCES / RECORDS).read_text().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith('["a.txt", "')
    assert lines[1].startswith('["b.png", "", "format.png", "", "", 0, ')
    assert work.changes == {"added": 1, "changed": 0, "deleted": 0, "unchanged": 0}


def test_no_document_says_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing to read"):
        preparation(Given()).write(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_bytes(b"\xe9\xe9")
    with pytest.raises(DataError, match=r"skipped: 1 not_utf8 \(.*converts the file\)"):
        preparation(Folder(path=tmp_path / "notes")).write(tmp_path)
