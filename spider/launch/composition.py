"""Hydra composes a verb's configuration; what it has to say against it becomes one line."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from spider.errors import ConfigError
from spider.launch.command_line import OVERRIDE, quote
from spider.launch.resolvers import register_resolvers
from spider.launch.typed import TARGET, unknown_key
from spider.launch.verbs import (
    MODULE,
    POSITIONALS,
    groups,
    options,
    positionals_of,
    settings,
)

VERSION_BASE = "1.3"
CONFIG_MODULE = "conf"

register_resolvers()


def compose_verb(
    verb: str, overrides: Sequence[str], *, config_dir: Path | None = None
) -> DictConfig:
    """Compose ``conf/VERB.yaml`` with its groups and the overrides.

    Raises:
        ConfigError: an override cannot be read, or names what does not exist.
    """
    words = [word for word in (_without_group(verb, word) for word in overrides) if word]
    if config_dir is not None:
        if not config_dir.is_dir():
            raise ConfigError(f"--config-dir {config_dir}: no such folder")
        words.append(f"hydra.searchpath=[{quote(f'file://{config_dir.resolve()}')}]")
    GlobalHydra.instance().clear()
    try:
        with initialize_config_module(config_module=CONFIG_MODULE, version_base=VERSION_BASE):
            return compose(config_name=verb, overrides=words)
    except MissingConfigException as error:
        raise ConfigError(_no_such_variant(error)) from error
    except OverrideParseException as error:
        raise ConfigError(
            f"cannot read {error.override!r} ({_one_line(error)}); free text and paths go in as "
            "words or --key VALUE, which need no quoting"
        ) from error
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise ConfigError(_explain(verb, overrides, error)) from error


def _without_group(verb: str, override: str) -> str:
    """Spell ``group=null`` as Hydra wants it: a deletion, or nothing where the default is null."""
    key, _, value = override.partition("=")
    if value != "null" or key not in groups() or key not in settings(verb):
        return override
    return "" if settings(verb)[key] is None else f"~{key}"


def plain(config: DictConfig) -> dict[str, Any]:
    """Resolve every interpolation and return dictionaries, lists and scalars.

    Raises:
        ConfigError: an interpolation leads nowhere.
    """
    try:
        container = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        raise ConfigError(_one_line(_own_words(error))) from error
    if not isinstance(container, dict):
        raise ConfigError("the configuration is no mapping")
    return {str(key): value for key, value in container.items()}


def unknown_setting(verb: str, overrides: Sequence[str]) -> str:
    """Word the message about the first override whose setting the verb lacks; empty if none."""
    known = [key for key in settings(verb) if key not in (MODULE, POSITIONALS)]
    roots = {key.split(".")[0] for key in (*known, *groups())}
    for key in _overridden(overrides):
        if key.split(".")[0] not in roots:
            text = "; free text goes after --" if positionals_of(verb) else ""
            return unknown_key(key, key, known) + text
    return ""


def _overridden(overrides: Sequence[str]) -> list[str]:
    """Return the keys that are overridden, leaving out added ones, deletions and Hydra's own."""
    matches = [OVERRIDE.match(word) for word in overrides if not word.startswith("+")]
    keys = [match["key"].split("@")[0] for match in matches if match is not None]
    return [key for key in keys if re.split(r"[./]", key)[0] != "hydra"]


def _explain(verb: str, overrides: Sequence[str], error: Exception) -> str:
    if message := unknown_setting(verb, overrides):
        return message
    for key in _overridden(overrides):
        if "." in key and (message := _unknown_within(verb, overrides, key)):
            return message
    return _one_line(error)


def _no_such_variant(error: MissingConfigException) -> str:
    group, _, wanted = str(error.missing_cfg_file).rpartition("/")
    known = error.options or sorted(options(group) if group in groups() else ())
    if not known:
        return _one_line(error)
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{group}={wanted}: no such variant; {hint}there are: {', '.join(known)}"


def _unknown_within(verb: str, overrides: Sequence[str], key: str) -> str:
    """Word the message about a key that is not there inside a setting that is."""
    chosen = [o for o in overrides if re.split(r"[@=]", o.lstrip("+"))[0] in groups()]
    with initialize_config_module(config_module=CONFIG_MODULE, version_base=VERSION_BASE):
        values: Any = OmegaConf.to_container(compose(config_name=verb, overrides=chosen))
    *parents, name = key.split(".")
    for part in parents:
        values = values.get(part) if isinstance(values, dict) else None
    if not isinstance(values, dict):
        return f"setting {key}: {'.'.join(parents)} holds no settings here; choose one with " + (
            f"{parents[0]}=VARIANT" if parents[0] in groups() else f"{parents[0]}=VALUE"
        )
    known = [str(other) for other in values if other != TARGET]
    if name in values:
        return ""
    if not known:
        return f"unknown setting {key}: nothing is there yet; +{key}=VALUE adds it"
    return unknown_key(key, name, known)


def _own_words(error: BaseException) -> BaseException:
    """Return the error of a resolver of ours, which OmegaConf wraps, or the error itself."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ConfigError):
            return inner
        inner = inner.__cause__ or inner.__context__
    return error


def _one_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [
        line for line in lines if not re.match(r"(Config search path|provider=|full_key)", line)
    ]
    return "; ".join(kept[:4])
