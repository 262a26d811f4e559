"""A variant that follows from a path."""

from typing import Any

import pytest

from spider.errors import ConfigError
from spider.launch.command_line import parse, texts_of
from spider.launch.entrypoint import add_implied
from spider.verbs.doctor import DoctorSettings
from spider.verbs.prepare import PrepareSettings


def overrides(*words: str, cls: type[Any] = PrepareSettings) -> list[str]:
    line = parse(words, cls)
    add_implied(line, cls)
    return line.overrides


@pytest.fixture
def docs(tmp_path: Any) -> str:
    path = tmp_path / "it's ${mine}, {1}.jsonl"
    path.write_text('{"id": "a", "text": "one"}\n')
    return str(path)


def test_the_source_follows_from_the_path(docs: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert overrides(docs)[1:] == ["source=jsonl"]
    assert overrides("--source.path", docs)[1:] == ["source=jsonl"]
    assert "source=jsonl, since its name ends in .jsonl" in caplog.text


def test_a_named_source_stays(docs: str) -> None:
    assert overrides(docs, "source=folder")[1:] == ["source=folder"]
    assert overrides("--source", "folder", docs)[0] == "source=folder"
    assert overrides("splitter=dpr") == ["splitter=dpr"]


def test_a_folder_of_rows_becomes_its_files(docs: str, tmp_path: Any) -> None:
    _, source, files = overrides(str(tmp_path))
    assert source == "source=jsonl"
    assert texts_of([files])["source.path"].endswith("/**/*.jsonl*")


def test_an_unknown_file_names_the_sources(tmp_path: Any) -> None:
    (tmp_path / "notes.bin").write_bytes(b"\0")
    with pytest.raises(ConfigError, match=r"tells the format; source=NAME does: beir, folder"):
        overrides(str(tmp_path / "notes.bin"))
    # what does not exist is the source's error
    assert len(overrides(str(tmp_path / "absent"))) == 1


def test_other_verbs_conclude_nothing() -> None:
    assert overrides("checks=[]", cls=DoctorSettings) == ["checks=[]"]
