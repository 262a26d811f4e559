"""What ``--help`` prints: settings as they are typed, with defaults and descriptions."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from spider.launch.completion import complete
from spider.launch.composition import compose_verb
from spider.launch.help_text import chosen_groups, overview, setting_rows, verb_help
from spider.launch.typed.objects import TARGET
from spider.launch.verbs import examples, groups, options, settings_class, verbs


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
    return dict(setting_rows(Settings, values))


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


def test_groups_of_a_class_are_the_settings_that_name_one() -> None:
    assert chosen_groups(Settings) == ["sparse"]
    assert chosen_groups(Inner) == []


def test_help_says_how_positional_words_are_given() -> None:
    text = verb_help("doctor", Settings, complete_settings())
    assert text.startswith("spider doctor [PLACE] [STEPS] [--flag VALUE ...] [setting=value ...]\n")
    assert verbs()["doctor"] in text


def complete_settings(**values: Any) -> Any:
    from omegaconf import OmegaConf

    return complete(OmegaConf.create({"place": "p", **values}))


def test_help_shows_each_variant_and_the_settings_of_the_chosen_one() -> None:
    config = complete_settings(sparse={TARGET: "index.sparse.bm25s_index.Bm25s"})
    text = verb_help("doctor", Settings, config)
    for name, summary in options("sparse").items():
        assert f"  {name:<22} {summary}\n" in text
    assert "settings of the chosen sparse:\n" in text
    assert "\n  sparse.k1=0.9\n" in text
    without = verb_help("doctor", Settings, complete_settings(sparse=None))
    assert "settings of the chosen" not in without


def test_help_does_not_resolve_what_needs_a_setting() -> None:
    assert "place=${needed:other}" in verb_help(
        "doctor", Settings, complete_settings(place="${needed:other}")
    )


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_help_of_a_verb_shows_its_examples_and_what_was_overridden(verb: str) -> None:
    cls = settings_class(verb)
    text = verb_help(verb, cls, compose_verb(verb, []))
    assert [line.strip() for line in text.splitlines() if line.startswith("  spider ")] == examples(
        verb
    )
    for group in chosen_groups(cls):
        assert f"\n{group}= one of:\n" in text
        assert group in groups()


def test_help_shows_overrides() -> None:
    config = compose_verb("train", ["training.steps=7", "architecture=bert"])
    text = verb_help("train", settings_class("train"), config)
    assert "\n  training.steps=7\n" in text
    assert "\n  architecture.layers=" in text


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


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("question_set=nq", "question_set=nq"),
        ("question_set=triviaqa", "question_set=triviaqa"),
        # the class of nq and triviaqa, without what they say
        ("question_set=dpr_qa", "question_set=dpr_qa"),
    ],
)
def test_a_chosen_variant_is_shown_by_the_name_that_chooses_it(word: str, shown: str) -> None:
    cls = settings_class("prepare-questions")
    text = verb_help("prepare-questions", cls, compose_verb("prepare-questions", [word]))
    assert f"\n  {shown}\n" in text


def test_a_variant_of_ones_own_is_shown_by_its_class() -> None:
    found = dict(setting_rows(Settings, {"sparse": {TARGET: "mine.Special"}}))
    assert "sparse=Special" in found
