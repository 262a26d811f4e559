"""The line of a passage in its file, also after the file was edited."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from index.display.places import SourcePlaces
from spider.artifacts.artifact import Artifact
from spider.corpus.document import Passage

TEXT = "---\ntitle: Rules\n---\n# Rules\n\nA boat is booked.\n\nNobody sails\nalone.\n"
INDEXED = TEXT.partition("---\ntitle: Rules\n---\n")[2]


def places(folder: Any) -> SourcePlaces:
    return SourcePlaces(Artifact(Path("corpus"), {"volatile": {"place": folder}}))


def passage(text: str, document: str = "minutes/rules.md") -> Passage:
    start = INDEXED.index(text)
    return Passage(
        id=f"{document}#0",
        document_id=document,
        title="Rules",
        text=text,
        start=start,
        end=start + len(text),
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "notes" / "minutes").mkdir(parents=True)
    (tmp_path / "notes" / "minutes" / "rules.md").write_bytes(TEXT.replace("\n", "\r\n").encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path / "notes"


def test_path_and_line_as_an_editor_takes_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = places(str(folder)).find(passage("Nobody sails\nalone."))
    assert found is not None
    assert (found.path, found.line) == (folder / "minutes" / "rules.md", 8)
    assert found.shown() == "notes/minutes/rules.md:8"
    monkeypatch.chdir(folder / "minutes")
    assert found.shown() == "rules.md:8"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert found.shown() == f"{folder}/minutes/rules.md:8"


def test_the_line_follows_an_edit_and_is_left_out_where_the_passage_is_gone(folder: Path) -> None:
    file = folder / "minutes" / "rules.md"
    file.write_text("A new line.\n" + TEXT)
    found = places(str(folder)).find(passage("A boat is booked."))
    assert found is not None
    assert found.line == 7
    file.write_text("All is new.\n")
    found = places(str(folder)).find(passage("A boat is booked."))
    assert found is not None
    assert found.shown() == "notes/minutes/rules.md"
    file.write_bytes(b"\0\xff")
    assert places(str(folder)).find(passage("A boat is booked.")) is not None
    file.unlink()
    assert places(str(folder)).find(passage("A boat is booked.")) is None


def test_of_equal_passages_the_line_is_that_of_the_right_one(folder: Path) -> None:
    text = "Same line.\n" * 5
    (folder / "twice.txt").write_text(text)
    one = replace(passage("# Rules", "twice.txt"), text="Same line.", start=33, end=43)
    found = places(str(folder)).find(one)
    assert found is not None
    assert found.line == 4


@pytest.mark.parametrize("document", ["../secret.txt", "/etc/hostname", "a/../../secret.txt", ""])
def test_an_id_leads_out_of_the_folder_nowhere(folder: Path, document: str) -> None:
    (folder.parent / "secret.txt").write_text("# Rules")
    assert places(str(folder)).find(passage("# Rules", document)) is None


@pytest.mark.parametrize("noted", [None, "", "gone", ["a", "b"], 3])
def test_a_corpus_of_no_folder_has_no_places(noted: Any) -> None:
    assert places(noted).find(passage("# Rules")) is None
