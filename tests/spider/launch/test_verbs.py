"""The verbs and their groups are read from the folder of yaml files."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spider.errors import ConfigError
from spider.launch import verbs as module
from spider.launch.verbs import (
    examples,
    groups,
    main_of,
    module_of,
    options,
    positionals_of,
    settings_class,
    verbs,
)

CACHED = (verbs, groups, module_of, settings_class)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty folder that stands in for ``conf/``."""
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    for function in CACHED:
        function.cache_clear()
    yield tmp_path
    for function in CACHED:
        function.cache_clear()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_verb_is_a_yaml_and_its_summary_is_the_first_comment(folder: Path) -> None:
    write(folder / "b-verb.yaml", "# What it does: Größe\n# spider b-verb one\nverb_module: x\n")
    write(folder / "a.yaml", "verb_module: y  # not the first line's comment\n")
    write(folder / "notes.txt", "# no verb")
    write(folder / "group" / "variant.yaml", "# a variant\n")
    assert verbs() == {"a": "", "b-verb": "What it does: Größe"}
    assert list(verbs()) == ["a", "b-verb"]


def test_a_group_is_a_folder_that_holds_yaml_files(folder: Path) -> None:
    write(folder / "sparse" / "lucene.yaml", "# Lucene\n_target_: x\n")
    write(folder / "sparse" / "bm25s.yaml", "# a library\n_target_: x\n")
    write(folder / "__pycache__" / "x.pyc", "")
    (folder / "empty").mkdir()
    assert groups() == ("sparse",)
    assert options("sparse") == {"bm25s": "a library", "lucene": "Lucene"}
    assert options("empty") == {}


def test_a_module_is_the_one_that_the_yaml_names(folder: Path) -> None:
    write(folder / "look.yaml", "# Look\nverb_module: spider.verbs.doctor\nchecks: []\n")
    assert module_of("look") == "spider.verbs.doctor"
    assert main_of("look").__module__ == "spider.verbs.doctor"
    assert settings_class("look").__name__ == "DoctorSettings"
    for wrong in ("lok", "../look", ""):
        with pytest.raises(ConfigError, match=f"no verb '{wrong}'; spider --help lists them"):
            module_of(wrong)


def test_examples_are_the_commands_in_the_head(folder: Path) -> None:
    text = "# Find\n#   spider find 'a b' \n# no example\nverb_module: x\n# spider find --late\n"
    write(folder / "find.yaml", text)
    assert examples("find") == ["spider find 'a b'", "spider find --late"]


def test_positional_words_fill_what_the_class_lists() -> None:
    class Listed:
        positionals: Any = ("question", "index")

    assert positionals_of(Listed) == ("question", "index")
    assert positionals_of(object) == ()


def test_a_module_that_hides_a_package_of_ours_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "search.yaml", "# Search\nverb_module: index.verbs.search\n")
    mine = folder / "elsewhere" / "index.py"
    write(mine, "raise AssertionError('must not be run')\n")
    spec = importlib.util.spec_from_file_location("index", mine)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(ConfigError) as caught:
        main_of("search")
    assert str(caught.value).startswith(f"{mine} hides the package 'index' of spider-odqa; rename")
