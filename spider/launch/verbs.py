"""The verbs: one yaml each in ``conf/``, which names its module. Reading them imports no Hydra."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

import conf
from spider.errors import ConfigError

#: keys of a verb's yaml that are for the launcher and never reach the verb
MODULE = "verb_module"
POSITIONALS = "verb_positionals"

FOLDER = Path(conf.__file__).parent


@cache
def verbs() -> dict[str, str]:
    """Return each verb with its one-line summary: the first comment of its yaml."""
    return {path.stem: _summary(path) for path in sorted(FOLDER.glob("*.yaml"))}


@cache
def groups() -> tuple[str, ...]:
    """Return the configuration groups: the folders of ``conf/``."""
    return tuple(sorted(folder.name for folder in FOLDER.iterdir() if any(folder.glob("*.yaml"))))


def options(group: str) -> dict[str, str]:
    """Return the variants of a group with their one-line summaries."""
    return {path.stem: _summary(path) for path in sorted((FOLDER / group).glob("*.yaml"))}


def settings(verb: str) -> dict[str, Any]:
    """Return a verb's top-level settings with their defaults; a group's value is its default.

    Raises:
        ConfigError: there is no such verb.
    """
    path = FOLDER / f"{verb}.yaml"
    if not path.is_file():
        raise ConfigError(f"no verb {verb!r}; spider --help lists them")
    content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    chosen: dict[str, Any] = {}
    for default in content.pop("defaults", []):
        if isinstance(default, dict):
            for group, option in default.items():
                # "optional db", "override db" and "db@place.name" are Hydra's ways to say more
                place = group.split()[-1].split("@")[-1].lstrip("/")
                name, _, deeper = place.partition(".")
                chosen[name] = {deeper: option} if deeper else option
    return {**chosen, **content}


def module_of(verb: str) -> str:
    """Return the module that a verb's yaml names."""
    return str(settings(verb)[MODULE])


def positionals_of(verb: str) -> tuple[str, ...]:
    """Return the settings that a verb's positional words fill, in order."""
    return tuple(settings(verb).get(POSITIONALS, ()))


def _summary(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        first = lines.readline().strip()
    return first.lstrip("# ").strip() if first.startswith("#") else ""
