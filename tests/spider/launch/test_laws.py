"""Laws of the command line, for every verb: text survives, spellings agree, typos are named."""

import contextlib
import copy
import typing
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spider.errors import ConfigError
from spider.launch.command_line import parse
from spider.launch.composition import compose_verb, plain
from spider.launch.configuration import typed_settings
from spider.launch.entrypoint import run_verb
from spider.launch.typed.objects import convert
from spider.launch.typed.schema import Setting, alternatives, find_setting, known_keys, nested_class
from spider.launch.verbs import FOLDER, MODULE, positionals_of, settings_class, verbs
from spider.question import is_blank

EACH_VERB = pytest.mark.parametrize("verb", sorted(verbs()))
#: a command line holds no zero byte; "???" is OmegaConf's mark of a missing setting; search refuses
#: a question without a visible character
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
WORDS = TEXTS.filter(lambda text: not is_blank(text) and text != "???")


def search_settings(*words: str) -> Any:
    line = parse(words, settings_class("search"))
    return typed_settings(
        settings_class("search"), plain(compose_verb("search", line.overrides)), line.overrides
    )


@settings(max_examples=10)
@given(text=WORDS)
@example(text="--help")
@example(text="k=5")
@example(text="~/notes, [a] (b) {c} ${d} 'e' \"f\" \\")
@example(text="${")
@example(text="\\${x}\\")
@example(text="東京, Zürich 🦎")
@example(text="two\nlines")
def test_any_text_reaches_the_verb_after_a_double_dash_and_as_a_flag(text: str) -> None:
    assert search_settings("--", text).question == text
    assert search_settings(f"--question={text}", "k=3").question == text
    found = search_settings("--question", text, "--k", "3")
    assert (found.question, found.k) == (text, 3)


def test_null_is_text_as_a_word_and_nothing_as_a_flag() -> None:
    assert search_settings("--", "null").question == "null"
    assert search_settings("null").question == "null"
    assert search_settings("--question", "null").question is None


@settings(max_examples=25)
@given(text=WORDS)
def test_text_as_a_bare_word_arrives_unchanged_or_is_refused(text: str) -> None:
    """What could be a setting is refused with a hint; nothing else happens to it."""
    if text.startswith("-") or "=" in text:
        with contextlib.suppress(ConfigError):
            search_settings(text)
        return
    found = search_settings(text)
    if not text.startswith(("-", "~")) and "=" not in text:
        assert found.question == text


@settings(max_examples=15)
@given(text=st.text("ab '\"\\,=(){}[]$~#é", min_size=1, max_size=12))
def test_any_path_reaches_a_setting_of_a_variant(text: str) -> None:
    cls = settings_class("prepare")
    line = parse(["--source.path", text], cls)
    values = plain(compose_verb("prepare", line.overrides))
    assert values["source"]["path"] == text


def value_for(annotation: Any) -> tuple[str, Any] | None:
    """Return how a value is typed, and the value as yaml reads it; None where no flag takes one."""
    option = next(one for one in alternatives(annotation) if one is not type(None))
    if typing.get_origin(option) is Literal:
        found = typing.get_args(option)[-1]
        return (str(found).lower() if isinstance(found, bool) else str(found)), found
    if typing.get_origin(option) in (tuple, list):
        # one value where several are allowed is a list of one
        return value_for(typing.get_args(option)[0])
    known: dict[Any, tuple[str, Any]] = {
        int: ("3", 3),
        float: ("0.25", 0.25),
        bool: ("true", True),
        str: ("some-text", "some-text"),
        Path: ("some/place", "some/place"),
    }
    return known.get(option)


@cache
def typed_keys(verb: str) -> dict[str, tuple[Setting, str, Any]]:
    """Return the settings of a verb that take one typed value, with such a value."""
    cls, found = settings_class(verb), {}
    for key in known_keys(cls):
        setting = find_setting(cls, key)
        assert setting is not None
        value = None if nested_class(setting.annotation) else value_for(setting.annotation)
        if value is not None:
            found[key] = (setting, *value)
    return found


def put(values: dict[str, Any], key: str, value: Any) -> None:
    *groups, name = key.split(".")
    for group in groups:
        values = values.setdefault(group, {})
    values[name] = value


def get(values: dict[str, Any], key: str) -> Any:
    for name in key.split("."):
        values = values[name]
    return values


@EACH_VERB
def test_an_override_a_flag_and_a_yaml_say_the_same(verb: str, tmp_path: Path) -> None:
    keys = typed_keys(verb)
    cls = settings_class(verb)
    written = yaml.safe_load((FOLDER / f"{verb}.yaml").read_text(encoding="utf-8"))
    for key, (_, _, value) in keys.items():
        put(written, key, value)
    (tmp_path / f"{verb}.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    overrides = parse([f"{key}={text}" for key, (_, text, _) in keys.items()], cls).overrides
    flags = [
        word
        for key, (setting, text, _) in keys.items()
        for flag in [f"--{key.replace('_', '-')}"]
        for word in ([flag] if setting.annotation is bool else [flag, text])
    ]
    by_override = plain(compose_verb(verb, overrides))
    by_flag = plain(compose_verb(verb, parse(flags, cls).overrides))
    by_yaml = plain(compose_verb(verb, [], config_dir=tmp_path))
    assert by_override == by_flag == by_yaml
    for key, (setting, _, value) in keys.items():
        assert get(by_override, key) == value
        # and the value has the setting's type
        convert(value, setting.annotation, where=key)


def misspellings(key: str) -> list[str]:
    """Return the last part of a key with each letter dropped, and each pair swapped."""
    head, dot, name = key.rpartition(".")
    found = {name[:n] + name[n + 1 :] for n in range(len(name))}
    found |= {name[:n] + name[n + 1] + name[n] + name[n + 2 :] for n in range(len(name) - 1)}
    return [f"{head}{dot}{wrong}" for wrong in sorted(found - {name}) if wrong.isidentifier()]


@EACH_VERB
def test_a_misspelt_setting_is_one_line_that_mostly_names_the_right_one(verb: str) -> None:
    cls = settings_class(verb)
    composed = {k: v for k, v in plain(compose_verb(verb, [])).items() if k != MODULE}
    known = set(known_keys(cls))
    named, wrong_ones = 0, 0
    for key in sorted(known):
        parents = key.rpartition(".")[0]
        if parents and not isinstance(get(composed, parents), dict):
            continue
        # a quarter of them is enough
        for wrong in misspellings(key)[::4]:
            if wrong in known or len(key.rpartition(".")[2]) < 4:
                continue
            values = copy.deepcopy(composed)
            put(values, wrong, 1)
            with pytest.raises(ConfigError) as caught:
                typed_settings(cls, values)
            message = str(caught.value)
            assert message.startswith(f"unknown setting {wrong}; ")
            assert "\n" not in message
            wrong_ones += 1
            named += f"did you mean {key}?" in message
    assert wrong_ones
    assert named >= 0.9 * wrong_ones, f"{named} of {wrong_ones}"


@EACH_VERB
@pytest.mark.parametrize("form", ["{}=1", "--{}=1", "--{} 1", "++{}=1", "~{}"])
def test_a_misspelt_setting_ends_with_code_two(
    verb: str, form: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    cls = settings_class(verb)
    if form.startswith("~") and positionals_of(cls):
        # ~orkspace may be the home of a user
        return
    wrong = misspellings(known_keys(cls)[0])[0]
    assert run_verb(verb, form.format(wrong).split()) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"spider {verb}: ")
    assert said.count("\n") == 1
    assert wrong in said
    assert not list(tmp_path.iterdir())
