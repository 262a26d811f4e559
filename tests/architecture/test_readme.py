"""What README.md says is so: its tables are made from results, its commands exist."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from spider.launch.command_line import parse
from spider.launch.composition import compose_verb
from spider.launch.verbs import positionals_of, settings, verbs

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def readme_tables(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.readme_tables

    yield benchmarks.readme_tables
    for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
        del sys.modules[name]


def test_tables_are_what_the_results_say(readme_tables: object) -> None:
    assert readme_tables.render(README) == README  # type: ignore[attr-defined]


def test_every_verb_is_in_the_readme() -> None:
    for verb in verbs():
        assert f"`{verb}`" in README, verb


def test_commands_of_the_readme_compose() -> None:
    found = re.findall(r"(?m)(?:^|`)spider ([a-z-]+)((?: [^`\n]+)?)", README)
    assert len(found) > 5
    for verb, rest in found:
        if verb not in verbs():
            continue
        line = parse(
            [word for word in shlex.split(rest) if not word.startswith("--")],
            positionals=positionals_of(verb),
            settings=settings(verb),
        )
        compose_verb(verb, line.overrides)


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"(?m)(?:^|`)make ([a-z]+)", README)
    assert {"demo", "test"} <= set(named)
    for target in named:
        assert re.search(rf"(?m)^{target}:", makefile), target


def test_links_of_the_documents_lead_somewhere() -> None:
    for file in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)\)", file.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (file.parent / link).exists(), f"{file}: {link}"
