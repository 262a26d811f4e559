from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from spider.errors import ConfigError
from spider.launch.command_line import parse, quote

SETTINGS = {"question": "", "depth": 10, "overwrite": False, "index": "x", "workspace": "w"}


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


def words(*given_words: str) -> list[str]:
    return parse(given_words, positionals=("question",), settings=SETTINGS).overrides


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


def test_existing_path_with_an_equals_sign_is_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b").mkdir()
    assert words("a=b") == ["question='a=b'"]


def test_misspelt_setting_is_left_for_hydra_to_refuse() -> None:
    assert words("dpeth=5") == ["dpeth=5"]


def test_double_dash_ends_settings() -> None:
    assert words("--", "depth=5") == ["question='depth=5'"]


def test_flags_of_the_launcher() -> None:
    line = parse(
        ["--help", "--cfg", "job", "-m", "--config-dir", "here"], positionals=(), settings=SETTINGS
    )
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
