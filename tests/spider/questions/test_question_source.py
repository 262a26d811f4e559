"""Every question set in ``conf/`` is a question source, and a source has to read."""

import inspect
from pathlib import Path

import pytest
import yaml

from spider.launch.typed.objects import import_class
from spider.launch.verbs import FOLDER
from spider.question import Question, QuestionSet
from spider.questions.plain_text import PlainText
from spider.questions.question_source import QuestionSource

VARIANTS = sorted((FOLDER / "question_set").glob("*.yaml"))


class Fixed:
    def read(self) -> QuestionSet:
        return QuestionSet(name="fixed", questions=(Question(id="1", text="Who?"),))


def test_what_reads_is_a_source() -> None:
    source: QuestionSource = Fixed()
    assert isinstance(source, QuestionSource)
    assert source.read() == source.read()
    assert not isinstance(object(), QuestionSource)


@pytest.mark.parametrize("path", VARIANTS, ids=lambda path: path.stem)
def test_a_configured_source_reads_without_arguments(path: Path) -> None:
    cls = import_class(yaml.safe_load(path.read_text(encoding="utf-8"))["_target_"])
    assert list(inspect.signature(cls.read).parameters) == ["self"]


@pytest.mark.parametrize("path", VARIANTS, ids=lambda path: path.stem)
def test_a_source_that_takes_a_file_has_a_fingerprint(path: Path) -> None:
    cls = import_class(yaml.safe_load(path.read_text(encoding="utf-8"))["_target_"])
    takes_a_file = inspect.signature(cls).parameters.get("path")
    if takes_a_file is not None and takes_a_file.annotation in (Path, "Path"):
        assert callable(cls.fingerprint)


def test_a_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "q.txt"
    path.write_text("Who?\n", encoding="utf-8")
    before = PlainText(path=path).fingerprint()
    assert PlainText(path=path).fingerprint() == before
    path.write_text("Who?\nWhen?\n", encoding="utf-8")
    assert PlainText(path=path).fingerprint() != before
