"""The console script: what it answers itself, and what it hands to a verb."""

import importlib.metadata
from collections.abc import Sequence

import pytest

import spider.cli
from spider.cli import main
from spider.launch.verbs import verbs


@pytest.fixture
def handed_on(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Record what would be run, with exit code 9."""
    calls: list[tuple[str, list[str]]] = []

    def run_verb(verb: str, words: Sequence[str]) -> int:
        calls.append((verb, list(words)))
        return 9

    monkeypatch.setattr(spider.cli, "run_verb", run_verb)
    return calls


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"], ["help"]])
def test_help_lists_every_verb(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    said = capsys.readouterr().out
    for verb, summary in verbs().items():
        assert f"  {verb} " in said
        assert summary in said


def test_help_and_a_verb_is_the_help_of_the_verb(handed_on: list[tuple[str, list[str]]]) -> None:
    assert main(["help", "search"]) == 9
    assert handed_on == [("search", ["--help"])]


def test_help_about_what_is_no_verb_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "serach"]) == 2
    assert capsys.readouterr().err == "spider: no verb 'serach'; did you mean search?\n"


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version_is_that_of_the_distribution(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([flag]) == 0
    assert capsys.readouterr().out == f"spider-odqa {importlib.metadata.version('spider-odqa')}\n"


def test_the_words_after_a_verb_reach_it_as_they_are(
    handed_on: list[tuple[str, list[str]]],
) -> None:
    assert main(["search", "--help", "what's a=b?", "-V"]) == 9
    assert handed_on == [("search", ["--help", "what's a=b?", "-V"])]


def test_without_words_it_takes_those_of_the_process(
    handed_on: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["spider", "doctor", "checks=[]"])
    assert main() == 9
    assert handed_on == [("doctor", ["checks=[]"])]


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("serach", "did you mean search?"),
        ("evaluate_retrieval", "did you mean evaluate-retrieval?"),
        ("xyzzy", "spider --help lists the verbs"),
        ("--verbose", "spider --help lists the verbs"),
        ("", "spider --help lists the verbs"),
    ],
)
def test_an_unknown_verb_is_one_line_and_code_two(
    word: str,
    hint: str,
    handed_on: list[tuple[str, list[str]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([word, "search"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"spider: no verb {word!r}; {hint}\n"
    assert not handed_on
