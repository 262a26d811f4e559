"""Adds the generated parts of the site: a page for each verb, the decision records, the tables.

MkDocs calls the functions ``on_*``. The page of a verb holds what ``spider VERB --help`` prints.
The tables come from ``benchmarks/results`` by the code that writes them into README.md.
"""

import contextlib
import io
import logging
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.readme_tables import render  # noqa: E402
from spider.cli import main as spider  # noqa: E402
from spider.launch.verbs import verbs  # noqa: E402


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the verbs and the decision records to the navigation."""
    commands = _section(config.nav, "Commands")
    commands += [{verb: f"verbs/{verb}.md"} for verb in sorted(verbs())]
    records = _section(_section(config.nav, "Design"), "Decisions")
    folder = Path(config.docs_dir) / "adr"
    records += [f"adr/{file.name}" for file in sorted(folder.glob("0*.md"))]
    # the launcher's log handler must not survive the calls of --help below
    logging.getLogger("mkdocs").propagate = False
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add one page for each verb."""
    for verb, summary in verbs().items():
        page = f"# spider {verb}\n\n{summary}.\n\n```text\n{_help(verb)}```\n"
        files.append(File.generated(config, f"verbs/{verb}.md", content=page))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill the tables of measured numbers."""
    return render(markdown)


def _help(verb: str) -> str:
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        code = spider([verb, "--help"])
    if code != 0:
        raise PluginError(f"spider {verb} --help: exit code {code}")
    return written.getvalue()


def _section(nav: Any, title: str) -> list[Any]:
    for entry in nav:
        if isinstance(entry, dict) and title in entry:
            found: list[Any] = entry[title]
            return found
    raise PluginError(f"mkdocs.yml: the navigation has no section {title!r}")
