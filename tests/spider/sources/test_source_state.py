"""An edit of the folder is seen without reading a file."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import open_artifact
from spider.corpus.splitting import WordSplitter
from spider.sources import source_state
from spider.sources.document_source import DocumentSource
from spider.sources.folder import Folder
from spider.sources.jsonl import JsonLines
from spider.sources.python_documentation import PythonDocumentation
from spider.sources.source_state import fingerprint_of, place_of, staleness
from spider.verbs.prepare import PrepareSettings, main


class Sized:
    path = ("a.txt", Path("b.txt"))

    def fingerprint(self) -> list[int]:
        return [1]


def prepared(source: DocumentSource, output: Path) -> Any:
    main(
        PrepareSettings(
            source=source,
            splitter=WordSplitter(words=5, minimum_tail=0),
            output=output,
            resolved={"source": {"exclude": ["old"]}},
        )
    )
    return open_artifact(output)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    for name in ("a.txt", "sub/b.md", "old/c.txt", "image.png"):
        (tmp_path / "notes" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "notes" / name).write_text("words")
    return tmp_path / "notes"


@pytest.fixture
def corpus(notes: Path, tmp_path: Path) -> Any:
    return prepared(Folder(path=notes, exclude=("old",)), tmp_path / "corpus")


def test_nothing_has_changed(corpus: Any, notes: Path) -> None:
    assert staleness(corpus) == ""
    # what is not read does not matter
    (notes / "image.png").write_text("other")
    (notes / "second.png").write_text("new")
    (notes / ".hidden.txt").write_text("new")
    (notes / "old" / "d.txt").write_text("new")
    assert staleness(corpus) == ""


@pytest.mark.parametrize("change", ["edit", "touch", "add", "delete", "older", "move"])
def test_every_change_is_seen(change: str, corpus: Any, notes: Path) -> None:
    file = notes / "sub" / "b.md"
    if change == "edit":
        file.write_text("longer words")
    elif change == "touch":
        os.utime(file, ns=(9, 9 << 40))
    elif change == "add":
        (notes / "sub" / "new.txt").write_text("x")
    elif change == "delete":
        file.unlink()
    elif change == "older":
        # a copy keeps the time of its original, which is before the corpus
        file.write_text("replaced")
        os.utime(file, (1, 1))
    else:
        file.rename(notes / "moved.md")
    said = staleness(corpus)
    assert said.startswith(f"the index is older than {notes}: ")
    assert ("2 files" if change == "move" else "1 file ") in said
    assert "spider quickstart" in said
    assert "\n" not in said


def test_only_so_many_files_are_looked_at(
    corpus: Any, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        (notes / f"n{number:02}.txt").write_text("x")
    monkeypatch.setattr(source_state, "FILES", 10)
    looked_at = []
    entries = Folder.entries
    monkeypatch.setattr(
        Folder,
        "entries",
        lambda self, **most: (looked_at.append(entry) or entry for entry in entries(self, **most)),
    )
    # "sub/b.md" lies behind the limit, and is not taken for deleted
    assert "8 files" in staleness(corpus)
    assert len(looked_at) <= 11


def test_a_file_of_documents(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_text(json.dumps({"id": "a", "text": "words"}))
    os.utime(path, (1, 1))
    corpus = prepared(JsonLines(path=path), tmp_path / "corpus")
    assert staleness(corpus) == ""
    os.utime(path, (2e9, 2e9))
    assert "docs.jsonl: 1 file" in staleness(corpus)
    path.unlink()
    assert staleness(corpus) == ""


def test_a_file_written_a_moment_before_has_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    for attempt in range(3):
        path.write_text('{"id": "a", "text": "words"}\n')
        now = path.stat().st_mtime_ns
        # a quarter of a second, which was less than the manifest's precision
        os.utime(path, ns=(now, now - 250_000_000))
        assert staleness(prepared(JsonLines(path=path), tmp_path / f"corpus{attempt}")) == ""
        time.sleep(0.3)


def test_a_damaged_record_or_a_folder_that_is_gone_stops_nothing(
    corpus: Any, notes: Path, tmp_path: Path
) -> None:
    (tmp_path / "corpus" / "sources" / "files.jsonl").write_text("[1\n")
    assert staleness(corpus) == ""
    notes.rename(tmp_path / "elsewhere")
    assert staleness(corpus) == ""


def fingerprint(self) -> list[int]:
    return [1]


def test_the_fingerprint_is_the_sources_own() -> None:
    assert fingerprint_of(Sized()) == [1]
    assert fingerprint_of(object()) is None


def test_a_place_is_json(tmp_path: Path) -> None:
    assert place_of(Sized()) == ["a.txt", "b.txt"]
    assert place_of(JsonLines(path=tmp_path)) == str(tmp_path)
    assert place_of(PythonDocumentation()) is None
