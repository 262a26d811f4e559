from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from spider.errors import ConfigError
from spider.launch.command_line import parse, quote, unquote


@dataclass(frozen=True, kw_only=True)
class Run:
    steps: int = 1
    mode: Literal["fast", "slow"] = "fast"


@dataclass(frozen=True, kw_only=True)
class Settings:
    positionals: ClassVar = ("question",)

    question: str | None = None
    depth: int = 10
    overwrite: bool = False
    index: Path = Path("x")
    encoder: Path | None = None
    workspace: Path = Path("w")
    runs: tuple[Path, ...] = ()
    ks: tuple[int, ...] = ()
    sparse: Any = None
    training: Run = field(default_factory=Run)
    early: bool | Literal["never"] = False


@dataclass(frozen=True, kw_only=True)
class NoText:
    depth: int = 10


def as_hydra_reads(override: str) -> object:
    parsed = OverridesParser.create().parse_override(override)
    config = OmegaConf.create({"value": None})
    OmegaConf.update(config, "value", parsed.value())
    return config.value


@pytest.mark.parametrize(
    "text",
    [
        "What's the GIL?",
        "a, b and c",
        "f(x) [1] {2}",
        "a=b",
        "~/notes",
        "~",
        "Zürich, 東京",
        "cost: ${HOME} or $5",
        "back\\slash\\",
        "\\'",
        "${",
        "\\${x}",
        'say "hi"',
        "#tag @home !",
        "",
        " padded ",
        "null",
        "12",
        "$",
    ],
)
def test_quoted_text_comes_back_unchanged(text: str) -> None:
    assert as_hydra_reads(f"value={quote(text)}") == text


@given(st.text(alphabet="ab'\\\"${}[],=~ \t()#é東", max_size=12))
def test_any_quoted_text_comes_back_unchanged(text: str) -> None:
    assert as_hydra_reads(f"value={quote(text)}") == text
    assert unquote(quote(text)) == text


def test_what_nothing_quotes_is_not_unquoted() -> None:
    assert [unquote(value) for value in ("a'b", "'", "", "5")] == ["a'b", "'", "", "5"]


def words(*given_words: str) -> list[str]:
    return parse(given_words, Settings).overrides


def test_positional_is_quoted() -> None:
    assert words("What's it?") == [f"question={quote(chr(87) + 'hat' + chr(39) + 's it?')}"]


def test_override_passes_as_it_is() -> None:
    assert words("depth=5", "index.b=0.4", "index/dense=flat") == [
        "depth=5",
        "index.b=0.4",
        "index/dense=flat",
    ]


def test_flags_take_values_and_booleans_do_not() -> None:
    assert words("--depth", "5", "--overwrite", "--workspace", "~/a b") == [
        "depth=5",
        "overwrite=true",
        "workspace='~/a b'",
    ]
    assert words("--depth=5") == ["depth=5"]


def test_question_with_an_equals_sign_is_text() -> None:
    assert words("x=1 means what?") == ["question='x=1 means what?'"]


def test_a_word_like_a_setting_is_refused_and_not_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b").mkdir()
    for word in ("a=b", "dpeth=5", "dpeth=5 or 6"):
        with pytest.raises(ConfigError, match=r"unknown setting .*free text goes after --"):
            words(word)
    assert words("--", "a=b") == ["question='a=b'"]


def test_flags_are_quoted_by_the_type_of_their_setting() -> None:
    assert words("--depth", "5") == ["depth=5"]
    assert words("--index", "5") == ["index='5'"]
    assert words("--encoder", "null") == ["encoder=null"]
    assert words("--index", "null") == ["index='null'"]
    assert words("--runs", "a, b") == ["runs='a, b'"]
    assert words("--ks", "[1,2]") == ["ks=[1,2]"]
    assert words("--training.steps", "7") == ["training.steps=7"]
    assert words("--training.mode", "slow") == ["training.mode='slow'"]
    assert words("--early", "true") == ["early=true"]
    assert words("--early", "never") == ["early='never'"]
    assert words("--sparse", "bm25s") == ["sparse=bm25s"]
    assert words("--sparse.k1", "0.9") == ["sparse.k1=0.9"]
    assert words("--sparse.heap", "2g") == ["sparse.heap='2g'"]


def test_a_setting_that_now_stands_in_a_group_is_suggested() -> None:
    with pytest.raises(ConfigError, match=r"did you mean training\.steps"):
        words("steps=5")


@pytest.mark.parametrize(
    ("word", "message"),
    [("--dpeth", "did you mean --depth"), ("--xyzzy=1", "--help lists"), ("two words", "none")],
)
def test_what_a_verb_without_text_refuses(word: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse([word], NoText)


def test_double_dash_ends_settings() -> None:
    assert words("--", "depth=5") == ["question='depth=5'"]


def test_flags_of_the_launcher() -> None:
    line = parse(["--help", "--cfg", "job", "-m", "--config-dir", "here"], Settings)
    assert line.show_help
    assert line.show_config
    assert line.multirun
    assert line.config_dir == Path("here")
    assert line.overrides == []


@pytest.mark.parametrize("bad", [["--depth"], ["one", "two"], ["-x"]])
def test_bad_words_are_one_clear_line(bad: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        words(*bad)
    assert "\n" not in str(caught.value)


def test_a_flag_with_a_value_of_several_words_is_a_flag_and_a_question_is_not() -> None:
    assert words("--index=my folder") == [f"index={quote('my folder')}"]
    assert words("--help me") == [f"question={quote('--help me')}"]
    assert words("--what=is this?") == [f"question={quote('--what=is this?')}"]
