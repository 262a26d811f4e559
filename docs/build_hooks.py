"""Adds the generated parts of the site: a page for each verb, the decision records, the tables.

MkDocs calls the functions ``on_*``. The page of a verb holds what ``spider VERB --help`` prints.
The tables come from ``benchmarks/results`` by the code that writes them into README.md.
"""

import contextlib
import io
import logging
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 80
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
        page = f"# spider {verb}\n\n{summary}.\n\n{_tables(_help(verb))}"
        files.append(File.generated(config, f"verbs/{verb}.md", content=page))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Fill the tables of measured numbers, and the list of decision records."""
    if page.file.src_uri == "adr/index.md":
        records = sorted((Path(config.docs_dir) / "adr").glob("0*.md"))
        markdown += "\n" + "".join(f"- [{_title(record)}]({record.name})\n" for record in records)
    # an interval stays on one line: 81.1 [77.3, 84.3]
    return re.sub(r"(\d) \[([\d.]+), ([\d.]+)\]", "\\1\xa0[\\2,\xa0\\3]", render(markdown))


def on_page_content(html: str, **_: Any) -> str:
    """Remove the names of Sphinx roles, which docstrings have before a name."""
    return re.sub(r":(?:attr|class|func|meth|mod):(?=<code>)", "", html)


def _title(page: Path) -> str:
    with page.open(encoding="utf-8") as lines:
        return lines.readline().lstrip("# ").rstrip()


def _help(verb: str) -> str:
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        code = spider([verb, "--help"])
    if code != 0:
        raise PluginError(f"spider {verb} --help: exit code {code}")
    return written.getvalue()


def _tables(text: str) -> str:
    """Turn the text of ``--help`` into Markdown: its lists become tables."""
    usage, _, rest = text.partition("\n")
    parts = [f"```text\n{usage}\n```\n"]
    # the summary is above; each list begins with a line that ends in a colon
    for title, body in re.findall(r"(?m)^(\S.*):\n((?:  .*\n)+)", rest):
        if title == "examples":
            lines = "".join(f"$ {line.strip()}\n" for line in body.splitlines())
            parts.append(f"## Examples\n\n```console\n{lines}```\n")
            continue
        settings = re.findall(r"(?m)^  (\S.*)\n      (.*)$", body)
        if settings:
            parts.append(f"## {_heading(title)}\n\n| setting | default | meaning |\n|---|---|---|")
            pairs = [(*left.split("=", 1), meaning) for left, meaning in settings]
            # the default of a list of stages would fill the page
            pairs = [(name, d if len(d) <= LONGEST else "…", text) for name, d, text in pairs]
            parts += [
                f"| `{name}` | `{_cell(default)}` | {_cell(meaning)} |"
                for name, default, meaning in pairs
            ]
        else:
            parts.append(f"## {_heading(title)}\n\n| variant | meaning |\n|---|---|")
            variants = re.findall(r"(?m)^  (\S+) +(.*)$", body)
            parts += [f"| `{name}` | {_cell(meaning)} |" for name, meaning in variants]
        parts.append("")
    return "\n".join(parts)


def _heading(title: str) -> str:
    return re.sub(r"(\w+)=", r"`\1=`", title[0].upper() + title[1:] if "=" not in title else title)


def _cell(text: str) -> str:
    """Escape what a table or HTML would take for its own."""
    return text.replace("|", "\\|").replace("<", "&lt;") or '""'


def _section(nav: Any, title: str) -> list[Any]:
    for entry in nav:
        if isinstance(entry, dict) and title in entry:
            found: list[Any] = entry[title]
            return found
    raise PluginError(f"mkdocs.yml: the navigation has no section {title!r}")
