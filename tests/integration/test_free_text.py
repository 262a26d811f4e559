"""Any text and any folder name pass through the command line to the verb and back unchanged."""

from pathlib import Path

import pytest

from spider.launch.command_line import parse
from spider.launch.composition import compose_verb, plain
from spider.launch.stages import build_stages, child_command
from spider.launch.verbs import settings_class

ODD = [
    "What's the GIL?",
    "a, b, and (c) [d] {e}",
    "is a = b?",
    "~",
    "~/notes of mine",
    "Größe der Straße – 東京 🎉",
    "${workspace} ${oc.env:HOME} $x",
    "back\\slash \\' \\",
    'say "hi"',
    "-5 degrees?",
    "--help me",
    "null",
    "1e5",
    "2024",
    "a: b # c",
    "tab\there",
    "two\nlines",
    "100 %; x|y & z > w",
]


def composed(verb: str, *words: str) -> dict[str, object]:
    line = parse(words, settings_class(verb))
    return plain(compose_verb(verb, line.overrides))


@pytest.mark.parametrize("text", ODD)
def test_question_as_a_word_and_after_the_dashes(text: str) -> None:
    assert composed("search", text)["question"] == text
    assert composed("search", "--", text)["question"] == text


@pytest.mark.parametrize("text", [text for text in ODD if text not in ("null", "1e5", "2024")])
def test_text_through_a_flag(text: str) -> None:
    assert composed("search", "--label", text)["label"] == text
    assert composed("search", f"--workspace={text}")["workspace"] == text


@pytest.mark.parametrize("name", ODD)
def test_folder_through_the_quickstart_to_the_child_that_reads_it(name: str) -> None:
    values = composed("quickstart", name)
    assert values["data"] == name
    own_files = values["own_files"]
    assert isinstance(own_files, dict)
    reading = build_stages(own_files["stages"], where="stages")[0]
    command = child_command(reading, Path("w") / name.replace("/", "-"))
    read = plain(compose_verb("prepare", command[command.index("-m") + 2 :]))
    assert read["source"]["path"] == name
    assert read["workspace"] == str(Path("w") / name.replace("/", "-"))
