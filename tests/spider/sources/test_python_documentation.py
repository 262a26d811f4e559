import logging
import platform
import sys
from pathlib import Path

import pytest

from spider.errors import DataError
from spider.sources.python_documentation import PythonDocumentation, clean_markup

MODULE = '''\
"""Shapes and their areas."""
import sys

def outer(side, *, unit="m"):
    """Measure a :class:`~shapes.Square` in ``unit``."""
    def inner():
        """Nobody looks this up."""

if sys.platform:
    class Square(Shape):
        """A square.

        Title
        =====



        text
        """
        def undocumented(self): ...

        async def area(self):
            """Return the area."""
else:
    def fallback():
        """Without a platform."""
'''


def write_library(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def library_only(folder: Path) -> PythonDocumentation:
    return PythonDocumentation(include_topics=False, standard_library=folder)


def test_a_module_becomes_one_document_in_source_order(tmp_path: Path) -> None:
    source = library_only(write_library(tmp_path, {"shapes.py": MODULE}))
    [document] = source.documents()
    assert (document.id, document.title) == ("module/shapes", "shapes")
    assert document.text == (
        "Shapes and their areas.\n\n"
        "outer(side, *, unit='m')\nMeasure a shapes.Square in unit.\n\n"
        "class Square(Shape)\nA square.\n\nTitle\n\ntext\n\n"
        "Square.area(self)\nReturn the area.\n\n"
        "fallback()\nWithout a platform."
    )


def test_packages_private_modules_and_skipped_folders(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    documented = '"""Documented."""'
    files = {
        "b/__init__.py": documented,
        "b/c.py": documented,
        "a.py": documented,
        "_useful.py": documented,
        "_private.py": 'def f():\n    """Documented."""',
        "plain.py": "x = 1",
        "broken.py": "def (",
        "escape.py": r"'''Documented.''';" + r"x = '\d'",
        "test/test_a.py": documented,
        "b/tests/d.py": documented,
        "site-packages/e.py": documented,
        "config-3.11-linux/f.py": documented,
    }
    source = library_only(write_library(tmp_path, files))
    with caplog.at_level(logging.WARNING):
        ids = [document.id for document in source.documents()]
    assert ids == ["module/_useful", "module/a", "module/b", "module/b.c", "module/escape"]
    assert source.counts == {
        "topics": 0,
        "modules": 5,
        "unreadable_files": 1,
        "modules_without_docstrings": 1,
        "private_modules": 1,
    }
    assert "broken.py" in caplog.text


def test_nothing_found_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="zipped or stripped"):
        list(library_only(tmp_path / "python311.zip").documents())


def test_missing_topics_leave_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    folder = write_library(tmp_path, {"a.py": '"""A."""'})
    source = PythonDocumentation(standard_library=folder)
    assert [document.id for document in source.documents()] == ["module/a"]
    assert source.counts["topics"] == 0


def test_topics_carry_their_heading_as_title() -> None:
    source = PythonDocumentation(include_standard_library=False)
    topics = {document.id: document for document in source.documents()}
    assert list(topics) == sorted(topics)
    assert len(topics) == source.counts["topics"] > 70
    assert topics["topic/assert"].title == "The assert statement"
    assert topics["topic/assert"].text.startswith("Assert statements are a convenient way")


def test_fingerprint_follows_text_and_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = library_only(write_library(tmp_path / "one", {"a.py": '"""A."""'}))
    two = library_only(write_library(tmp_path / "two", {"a.py": '"""A!"""'}))
    assert one.fingerprint() == one.fingerprint() != two.fingerprint()
    before = one.fingerprint()
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    assert one.fingerprint() != before


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (":meth:`~http.client.HTTPConnection.send`", "http.client.HTTPConnection.send"),
        (":py:func:`open the file <open>`", "open the file"),
        ("``a ** b``", "a ** b"),
        ("x = '*****'", "x = '*****'"),
        ("Heading\n-------\n\n\n\ntext  ", "Heading\n\ntext"),
        (">>> 1\n1\n    indented", ">>> 1\n1\n    indented"),
    ],
)
def test_clean_markup(markup: str, text: str) -> None:
    assert clean_markup(markup) == text
