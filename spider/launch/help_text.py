"""``spider --help`` and ``spider VERB --help``: verbs, settings with defaults, groups, examples."""

import dataclasses
import inspect
import re
from typing import Any

from spider.launch.entrypoint import GIVEN, RESOLVED
from spider.launch.verbs import (
    FOLDER,
    groups,
    options,
    positionals_of,
    settings,
    verbs,
)

OVERVIEW = """\
spider: label-free question answering over your documents

  spider quickstart                      the whole road on Python's own documentation
  spider quickstart ~/notes              the same on your files
  spider search "who wrote the report?"  ranked passages from the last workspace
  spider doctor                          what this machine can do, and what to mend

usage: spider VERB [words and --flags] [setting=value ...]

verbs:
"""
CLOSING = """
  spider VERB --help       its settings, defaults and variants
  spider VERB --cfg        the composed configuration, without running
  spider VERB --multirun   one run for each combination of a=1,2 settings
"""


def overview() -> str:
    """Return what ``spider --help`` prints."""
    listed = verbs()
    width = max(map(len, listed), default=0)
    lines = "".join(f"  {verb:<{width}}  {summary}\n" for verb, summary in listed.items())
    return OVERVIEW + lines + CLOSING


def verb_help(verb: str, cls: type[Any]) -> str:
    """Return what ``spider VERB --help`` prints.

    Args:
        verb: the verb.
        cls: its configuration dataclass, whose docstring describes the settings.
    """
    values = settings(verb)
    described = _attributes(cls)
    words = "".join(f" [{name.upper()}]" for name in positionals_of(verb))
    parts = [f"spider {verb}{words} [--flag VALUE ...] [setting=value ...]\n\n{verbs()[verb]}\n"]
    rows, variants = [], []
    for field in dataclasses.fields(cls):
        if field.name in (RESOLVED, GIVEN):
            continue
        value = values.get(field.name)
        if field.name in groups() and isinstance(value, str):
            variants.append((field.name, value))
        rows.append((f"{field.name}={_show(value)}", described.get(field.name, "")))
    if "workspace" in values and all(not row[0].startswith("workspace=") for row in rows):
        rows.insert(0, (f"workspace={_show(values['workspace'])}", "where the artifacts lie"))
    parts.append("\nsettings:\n" + "".join(f"  {left}\n      {text}\n" for left, text in rows))
    for group, default in variants:
        parts.append(f"\n{group}= one of (default {default}):\n")
        parts.extend(f"  {name:<22} {text}\n" for name, text in options(group).items())
    parts.append(_examples(verb))
    return "".join(parts)


def _attributes(cls: type[Any]) -> dict[str, str]:
    """Read the ``Attributes:`` section of a Google-style docstring."""
    text = inspect.cleandoc(cls.__doc__ or "")
    _, _, section = text.partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        match = re.match(r"^    (\w+): (.*)$", line)
        if match:
            name = match[1]
            found[name] = match[2].strip()
        elif name and line.startswith("        "):
            found[name] += " " + line.strip()
    return found


def _show(value: Any) -> str:
    """Write a default as it would be typed."""
    if isinstance(value, dict):
        return "..."
    if isinstance(value, list):
        return f"[{', '.join(dict.fromkeys(map(_show, value)))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def _examples(verb: str) -> str:
    text = (FOLDER / f"{verb}.yaml").read_text(encoding="utf-8")
    lines = [line[2:] for line in text.splitlines() if re.match(r"^#  ?spider ", line)]
    return "\nexamples:\n" + "".join(f" {line}\n" for line in lines) if lines else ""
