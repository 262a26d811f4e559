"""The verbs: each has a yaml in ``conf/`` that names its module. Listing them imports no Hydra."""

import importlib
import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from spider.errors import ConfigError
from spider.launch.typed.schema import configuration_class

MODULE = "verb_module"
"""The one key of a verb's yaml that is not a setting: the module with ``main``."""
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "conf"
"""Found beside this package: another module may have the name ``conf``."""


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


@cache
def module_of(verb: str) -> str:
    """Return the module that a verb's yaml names.

    Raises:
        ConfigError: there is no such verb.
    """
    path = FOLDER / f"{verb}.yaml"
    if not path.is_file():
        raise ConfigError(f"no verb {verb!r}; spider --help lists them")
    return str(yaml.safe_load(path.read_text(encoding="utf-8"))[MODULE])


def main_of(verb: str) -> Callable[[Any], None]:
    """Import a verb's module and return its ``main``.

    Raises:
        ConfigError: there is no such verb, or another module hides the package of the verb.
    """
    module = module_of(verb)
    _refuse_shadowed(module.partition(".")[0])
    main: Callable[[Any], None] = importlib.import_module(module).main
    return main


@cache
def settings_class(verb: str) -> type[Any]:
    """Return the settings dataclass of a verb."""
    return configuration_class(main_of(verb))


def positionals_of(cls: type[Any]) -> tuple[str, ...]:
    """Return the settings that positional words fill, in order: the class's ``positionals``."""
    return tuple(getattr(cls, "positionals", ()))


def examples(verb: str) -> list[str]:
    """Return the example commands in the head of a verb's yaml."""
    lines = (FOLDER / f"{verb}.yaml").read_text(encoding="utf-8").splitlines()
    words = (line.lstrip("#").strip() for line in lines if line.startswith("#"))
    return [text for text in words if text.startswith("spider ")]


def _refuse_shadowed(package: str) -> None:
    spec = importlib.util.find_spec(package)
    place = Path(spec.origin or "").resolve() if spec is not None else Path()
    if ROOT not in place.parents:
        raise ConfigError(
            f"{place} hides the package {package!r} of spider-odqa; rename it, or start in another "
            "folder"
        )


def _summary(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        # a line such as "# @package _global_" is for Hydra
        first = next((line.strip() for line in lines if not line.startswith("# @")), "")
    return first.lstrip("# ").strip() if first.startswith("#") else ""
