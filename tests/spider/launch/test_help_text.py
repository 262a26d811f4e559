"""What ``--help`` prints: settings as they are typed, with defaults and descriptions."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from spider.launch.completion import complete
from spider.launch.composition import compose_with_choices
from spider.launch.help_text import overview, setting_rows, verb_help
from spider.launch.typed.objects import TARGET
from spider.launch.verbs import examples, options, settings_class, verbs


@dataclass(frozen=True, kw_only=True)
class Inner:
    """Inner settings.

    Attributes:
        steps: how many.
    """

    steps: int = 5


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings.

    Attributes:
        place: where.
        inner: not shown where its own settings are.
        maybe: perhaps.
        sparse: words.
        on: switched on.
        many: several.
    """

    positionals: ClassVar = ("place", "inner.steps")

    place: Path
    inner: Inner = field(default_factory=Inner)
    maybe: Inner | None = None
    sparse: Any = None
    on: bool = False
    many: tuple[Any, ...] = ()


def rows(values: dict[str, Any]) -> dict[str, str]:
    return dict(setting_rows(Settings, values, {}))


def test_nested_settings_are_shown_by_their_path() -> None:
    found = rows({"inner": {"steps": 7}})
    assert found["inner.steps=7"] == "how many."
    assert not any(row.startswith("inner=") for row in found)


def test_nested_settings_that_are_not_there_are_one_row() -> None:
    assert rows({"maybe": None})["maybe=null"] == "perhaps."
    assert rows({"maybe": {"steps": 2}})["maybe.steps=2"] == "how many."


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0.5, "0.5"),
        ("${workspace}/index", "${workspace}/index"),
        ([], "[]"),
        ([1, None, True], "[1, null, true]"),
        # as many targets of one class are one word
        ([{TARGET: "a.b.Check"}, {TARGET: "a.c.Check"}, {TARGET: "a.Other"}], "[Check, Other]"),
        ({TARGET: "a.b.Lucene", "k1": 0.9}, "Lucene"),
        ({"a": 1, "b": None}, "{a: 1, b: null}"),
        # a list of stages would fill the page
        ({"a": {"b": 1}, "c": [1], "d": {TARGET: "x.Y"}}, "{a: ..., c: ..., d: Y}"),
    ],
)
def test_a_default_is_written_as_it_would_be_typed(value: Any, shown: str) -> None:
    assert f"many={shown}" in rows({"many": value})


def test_a_setting_that_a_variant_fills_is_shown_as_it_is_chosen() -> None:
    values = {"sparse": {TARGET: "a.b.Lucene"}, "many": {}}
    chosen = {"sparse": "sparse=lucene", "many.one": "part@many.one=x"}
    found = dict(setting_rows(Settings, values, chosen))
    assert found["sparse=lucene"] == "words."
    # an entry of a mapping is described by the mapping
    assert found["part@many.one=x"] == "several."
    assert not any(row.startswith("many=") for row in found)


def test_help_says_how_positional_words_are_given() -> None:
    text = verb_help("doctor", Settings, complete_settings(), {})
    assert text.startswith("spider doctor [PLACE] [STEPS] [--flag VALUE ...] [setting=value ...]\n")
    assert verbs()["doctor"] in text


def complete_settings(**values: Any) -> Any:
    from omegaconf import OmegaConf

    return complete(OmegaConf.create({"place": "p", **values}))


def test_help_shows_each_variant_and_the_settings_of_the_chosen_one() -> None:
    config = complete_settings(sparse={TARGET: "index.sparse.bm25s_index.Bm25s"})
    text = verb_help("doctor", Settings, config, {"sparse": "bm25s"})
    assert "\n  sparse=bm25s\n" in text
    assert "\nsparse= one of:\n" in text
    for name, summary in options("sparse").items():
        assert f"  {name:<22} {summary}\n" in text
    assert "settings of the chosen sparse:\n" in text
    assert "\n  sparse.k1=0.9\n" in text
    without = verb_help("doctor", Settings, complete_settings(sparse=None), {"sparse": None})
    assert "\n  sparse=null\n" in without
    assert "settings of the chosen" not in without


def test_help_does_not_resolve_what_needs_a_setting() -> None:
    assert "place=${needed:other}" in verb_help(
        "doctor", Settings, complete_settings(place="${needed:other}"), {}
    )


def test_the_overview_lists_verbs_in_one_column_and_imports_no_hydra() -> None:
    import subprocess

    text = overview()
    starts = {line.index(verbs()[line.split()[0]]) for line in text.splitlines() if is_verb(line)}
    assert len(starts) == 1
    script = (
        "import sys; from spider.launch.help_text import overview; overview(); "
        "sys.exit(any(name in sys.modules for name in ('hydra', 'omegaconf', 'torch', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def is_verb(line: str) -> bool:
    words = line.split()
    return line.startswith("  ") and bool(words) and words[0] in verbs()


def test_help_shows_what_was_overridden() -> None:
    words = ["training.steps=7", "architecture=bert"]
    config, choices = compose_with_choices("train", words)
    text = verb_help("train", settings_class("train"), config, choices)
    assert "\n  training.steps=7\n" in text
    assert "\n  architecture=bert\n" in text
    assert "\n  architecture.layers=" in text
    assert [line.strip() for line in text.splitlines() if line.startswith("  spider ")] == examples(
        "train"
    )
