"""README.md, CONTRIBUTING.md and docs/ are true: tables, commands, targets, links and examples."""

import doctest
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml

from spider.errors import ConfigError
from spider.launch.command_line import parse
from spider.launch.composition import compose_verb, plain
from spider.launch.configuration import typed_settings
from spider.launch.verbs import settings_class, verbs

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
PYTHON_BLOCK = re.compile(r"^```(?:python|pycon)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def no_pretrained_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    # with the wheel each example that builds a retriever takes seconds longer
    monkeypatch.setattr("spider.encoders.start.wheel.installed_archive", lambda wheel: None)


def commands(text: str) -> list[str]:
    """Return the ``spider`` commands of a page, in blocks (with or without ``$``) and in prose."""
    joined = text.replace("\\\n", " ")
    found = re.findall(r"(?m)^(?:\$ )?(?:[A-Z_]+=\S+ )?spider ([a-z][^\n]*)$", joined)
    found += re.findall(r"`spider ([a-z][^`\n]*)`", joined)
    # "spider train: unknown setting" is a message
    return sorted({command for command in found if not command.split()[0].endswith(":")})


def refused(text: str) -> list[tuple[str, str]]:
    """Return the commands of a page whose output is an error message, with the message."""
    return re.findall(r"(?m)^\$ spider ([a-z][^\n]*)\nspider [a-z-]+: (.*)$", text)


def compose(command: str) -> None:
    """Compose the settings of a command line."""
    verb, *words = shlex.split(command)
    line = parse(words, settings_class(verb))
    overrides = [sweep_of_one(word) for word in line.overrides] if line.multirun else line.overrides
    # a page may show how to keep yaml files of one's own, which are not here
    if line.config_dir is None:
        values = plain(compose_verb(verb, overrides))
        # prose names commands without the words that they need
        if "???" not in str(values) and not (verb == "quantize-reader" and "model" not in values):
            typed_settings(settings_class(verb), values, overrides)


def sweep_of_one(word: str) -> str:
    """Return the first job's value of ``key=a,b,c``."""
    key, sign, value = word.partition("=")
    return f"{key}{sign}{value.split(',')[0]}"


@pytest.fixture
def readme_tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.readme_tables

    yield benchmarks.readme_tables
    for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
        del sys.modules[name]


def test_tables_are_what_the_results_say(readme_tables: Any) -> None:
    readme = TEXTS["README.md"]
    assert readme_tables.BLOCK.search(readme), "README.md has no measured table"
    assert readme_tables.render(readme) == readme


def test_every_table_of_the_results_is_in_the_documentation(readme_tables: Any) -> None:
    named = {match[2] for text in TEXTS.values() for match in readme_tables.BLOCK.finditer(text)}
    assert named == set(readme_tables.TABLES)


def test_readme_is_one_screen() -> None:
    assert len(TEXTS["README.md"].splitlines()) <= 120


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_verb_is_documented(verb: str) -> None:
    assert f"`{verb}`" in TEXTS["docs/verbs/index.md"]
    assert any(command.split()[0] == verb for text in TEXTS.values() for command in commands(text))


@pytest.mark.parametrize("page", [name for name, text in TEXTS.items() if commands(text)])
def test_commands_compose(page: str) -> None:
    wrong = {command for command, _ in refused(TEXTS[page])}
    for command in commands(TEXTS[page]):
        assert command.split()[0] in verbs(), f"{page}: {command}"
        if command not in wrong:
            compose(command)


@pytest.mark.parametrize("page", [name for name, text in TEXTS.items() if refused(text)])
def test_messages_are_what_a_wrong_command_prints(page: str) -> None:
    for command, message in refused(TEXTS[page]):
        with pytest.raises(ConfigError, match=re.escape(message)):
            compose(command)


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page, text in TEXTS.items():
        for target in re.findall(r"(?m)(?:^|^\$ |`)make ([a-z][a-z-]*)", text):
            assert re.search(rf"(?m)^{target}:", makefile), f"{page}: make {target}"
    assert {"demo", "test"} <= set(re.findall(r"(?m)`?make ([a-z]+)", TEXTS["README.md"]))


def test_links_lead_to_files() -> None:
    generated = {f"docs/verbs/{verb}.md" for verb in verbs()}
    for page, text in TEXTS.items():
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            target = (ROOT / page).parent / link
            if "://" in link or target.resolve().exists():
                continue
            assert target.resolve().relative_to(ROOT).as_posix() in generated, f"{page}: {link}"


def test_named_files_exist() -> None:
    roots = (
        "spider|spider_odqa|pretrain|index|eval|jamba_reader|conf|tests|benchmarks|docs|examples"
    )
    for page, text in TEXTS.items():
        for name in re.findall(rf"`((?:{roots})/[\w./-]*)`", text):
            # a name in capitals is a placeholder, as in conf/VERB.yaml
            if not re.search(r"[A-Z]{3}|my_", name):
                assert (ROOT / name).exists(), f"{page}: {name}"


@pytest.mark.parametrize("page", [name for name, text in TEXTS.items() if ">>>" in text])
def test_examples_of_the_pages_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    blocks = "\n".join(block for block in PYTHON_BLOCK.findall(TEXTS[page]) if ">>>" in block)
    example = doctest.DocTestParser().get_doctest(blocks, {}, page, page, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    failures: list[str] = []
    runner.run(example, out=failures.append)
    assert not failures, "".join(failures)


def test_examples_of_the_api_run() -> None:
    import spider_odqa

    found = doctest.testmod(spider_odqa)
    assert found.attempted > 0
    assert found.failed == 0


def test_python_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = PYTHON_BLOCK.findall(TEXTS["README.md"])
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102 - the text of our own page
    names["retriever"].close()
    assert capsys.readouterr().out == "Ferries leave at nine.\n"


@pytest.mark.parametrize("page", [name for name, text in TEXTS.items() if "```python" in text])
def test_python_of_the_pages_compiles(page: str) -> None:
    for block in PYTHON_BLOCK.findall(TEXTS[page]):
        if ">>>" not in block:
            compile(block, page, "exec")


def module_on(page: str, title: str) -> dict[str, Any]:
    """Run the block of a page that shows a whole module; return its names."""
    block = re.search(
        rf'^```python title="{title}"\n(.*?)^```', TEXTS[page], re.DOTALL | re.MULTILINE
    )
    assert block is not None, f"{page}: no block {title}"
    names: dict[str, Any] = {}
    exec(block[1], names)  # noqa: S102 - the text of our own page
    return names


def test_example_of_a_file_format_works() -> None:
    module = module_on("docs/how-to/add-a-file-format.md", "spider/sources/extraction/srt_text.py")
    spoken = b"1\n00:00:01,000 --> 00:00:03,000\nGood morning.\n\n2\n00:00:04 --> 00:00:05\nBye.\n"
    assert module["extract"](spoken) == ("", "Good morning.\nBye.", "")
    with pytest.raises(Exception, match="binary"):
        module["extract"](b"\0\1")


def test_example_of_a_metric_works() -> None:
    from eval.metrics.contract import Judged

    metric = module_on("docs/how-to/add-a-variant.md", "eval/metrics/two_hits.py")["METRIC"]
    relevance = np.array([[True, False, True], [True, False, False]])
    judged = Judged(relevance, np.array([1, 1]), None)
    assert metric.values(judged, 3).tolist() == [1.0, 0.0]
    assert metric.values(judged, 2).tolist() == [0.0, 0.0]
    assert metric.name_at(5) == "two_hits_5"


def test_navigation_names_every_page() -> None:
    # the decision records and a page for each verb are added by docs/build_hooks.py
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = set(re.findall(r"[\w/-]+\.md", text[text.index("\nnav:") :]))
    pages = {name.removeprefix("docs/") for name in TEXTS if name.startswith("docs/")}
    assert nav == {name for name in pages if not re.match(r"adr/\d", name)}
    assert yaml.safe_load(text)["theme"]["font"] is False, "fonts come from the system"
