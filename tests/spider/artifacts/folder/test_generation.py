"""What is read from an artifact comes from one folder, whatever a writer does meanwhile."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder import generation
from spider.artifacts.folder.generation import generation_of, steady
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError


def write(output: Path, text: str) -> None:
    made = Stage(
        verb="mine", kind="spans", output=output, config={"text": text}, inputs={}, overwrite=True
    )
    with made.writing() as folder:
        for name in ("one", "two"):
            (folder / name).write_text(text)
        made.finish(counts={})


def reading(path: Path, between: Callable[[], None]) -> Callable[[], tuple[str, str]]:
    def read() -> tuple[str, str]:
        one = (path / "one").read_text()
        between()
        return one, (path / "two").read_text()

    return read


def test_a_replacement_between_two_files_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    write(path, "a")
    replacements = iter("b")
    read = reading(path, lambda: [write(path, text) for text in replacements] and None)
    discarded: list[tuple[str, str]] = []
    assert steady(path, read, discard=discarded.append) == ("b", "b")
    assert discarded == [("a", "b")]


def test_endless_replacements_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "PATIENCE", 0.1)
    path = tmp_path / "spans"
    write(path, "a")
    texts = iter(map(str, range(1000)))
    with pytest.raises(ArtifactError, match="replaced by another command while it is read"):
        steady(path, reading(path, lambda: write(path, next(texts))))


def test_an_error_of_a_replaced_artifact_is_not_reported(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    write(path, "a")
    attempts: list[int] = []

    def read() -> str:
        attempts.append(1)
        if len(attempts) == 1:
            write(path, "b")
            raise FileNotFoundError
        return "read"

    assert steady(path, read) == "read"
    with pytest.raises(ZeroDivisionError):
        steady(path, lambda: 1 // 0)


def test_the_moment_between_the_two_renames_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    write(path, "a")
    path.rename(tmp_path / "spans.partial")
    timer = threading.Timer(0.1, lambda: (tmp_path / "spans.partial").rename(path))
    timer.start()
    assert open_artifact(path).config == {"text": "a"}
    timer.join()


def test_an_open_artifact_knows_that_it_was_replaced(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    write(path, "a")
    artifact = open_artifact(path)
    artifact.require_current()
    write(path, "b")
    with pytest.raises(ArtifactError, match="was replaced by another command while it was read"):
        artifact.require_current()


def test_no_two_artifacts_in_a_folder_are_one_generation(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    assert generation_of(path) is None
    assert generation_of(Path("a\0b")) is None
    seen = set()
    for number in range(20):
        write(path, str(number % 2))
        seen.add(generation_of(path))
    assert len(seen) == 20
