"""Writing a corpus; tests/spider/verbs/test_prepare.py reuses an older one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from spider.corpus.document import Document, PassageBounds
from spider.corpus.splitting import WordSplitter
from spider.errors import DataError
from spider.sources.document_source import READ, FileRecord
from spider.sources.folder import Folder
from spider.sources.jsonl import JsonLines
from spider.sources.preparation import RECORDS, SOURCES, Preparation, _is_record


class Given:
    last_passage_padded = True

    def __init__(self, *documents: Document):
        self.given = documents
        self.counts = {"rows_read": len(documents)}

    def documents(self) -> Iterator[Document]:
        yield from self.given


def preparation(source: object, *, keep_first: bool = False) -> Preparation:
    splitter = WordSplitter(words=2, minimum_tail=0)
    return Preparation(
        source=source,  # type: ignore[arg-type]
        splitter=splitter,
        previous=None,
        config={},
        keep_first=keep_first,
    )


def cut(identity: str, *passages: str) -> Document:
    bounds = tuple(PassageBounds(name, 2 * n, 2 * n + 1) for n, name in enumerate(passages))
    return Document(id=identity, title="", text="x " * len(passages), passages=bounds)


def test_only_uncut_documents_are_split(tmp_path: Path) -> None:
    whole = Document(id="a", title="", text="one two three")
    cut = Document(id="b", title="", text="x y z", passages=(PassageBounds("own", 0, 5),))
    counts = preparation(Given(whole, cut)).write(tmp_path)
    assert (counts["documents"], counts["passages"], counts["words"]) == (2, 3, 6)
    assert counts["rows_read"] == 2


def test_two_documents_with_one_id_are_named_by_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    file.write_text("".join(f'{{"id": "{i}", "text": "t{n}"}}\n' for n, i in enumerate("aba")))
    with pytest.raises(DataError, match=r"'a': .*d\.jsonl:1 and .*d\.jsonl:3; .*keep_first=true"):
        preparation(JsonLines(path=file)).write(tmp_path)
    with pytest.raises(DataError, match=r"document number 1 .* and document number 2"):
        preparation(Given(cut("a", "a1"), cut("a", "a2"))).write(tmp_path)


def test_the_first_of_each_id_can_be_kept(tmp_path: Path) -> None:
    whole = [Document(id=name, title="", text=text) for name, text in ("a1", "b2", "a3")]
    given = [*whole, cut("p", "p", "q"), cut("p", "p", "r"), cut("r", "r")]
    work = preparation(Given(*given), keep_first=True)
    kept = {d.id: (d.text, [p.id for p in d.passages or ()]) for d in work._first_ones(given)}
    assert kept == {"a": ("1", []), "b": ("2", []), "p": ("x x ", ["p", "q"]), "r": ("x x ", ["r"])}
    work = preparation(Given(*given), keep_first=True)
    counts = work.write(tmp_path)
    assert (counts["documents"], counts["skipped_repeated_id"]) == (4, 3)
    assert work.skipped["repeated_id"]["examples"] == ["a", "p", "r"]


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


def test_the_record_of_a_file_is_what_was_written() -> None:
    whole = list(FileRecord("a.md", "0a", READ, "hint", "cp1252", 12, 34))
    assert _is_record(json.loads(json.dumps(whole)))
    assert _is_record(whole[:3])
    for damaged in ([], whole[:2], [*whole, 1], ["a", "b", 3], [*whole[:5], "12"], {}, None):
        assert not _is_record(damaged)
