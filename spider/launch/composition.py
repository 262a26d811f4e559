"""Composes a verb's configuration with Hydra; an error of Hydra becomes one line."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from spider.errors import ConfigError
from spider.launch.command_line import OVERRIDE, root_of, unknown_setting
from spider.launch.completion import register, searching
from spider.launch.resolvers import register_resolvers
from spider.launch.verbs import groups, options, settings_class

VERSION_BASE = "1.3"

register_resolvers()
register()


def compose_verb(
    verb: str, overrides: Sequence[str], *, config_dir: Path | None = None
) -> DictConfig:
    """Compose ``conf/VERB.yaml`` with constructors' defaults, its groups, and the overrides.

    Raises:
        ConfigError: an override cannot be read, or names a key or variant that does not exist.
    """
    return compose_with_choices(verb, overrides, config_dir=config_dir)[0]


def compose_with_choices(
    verb: str, overrides: Sequence[str], *, config_dir: Path | None = None
) -> tuple[DictConfig, dict[str, str | None]]:
    """Compose a verb's configuration, and return the variants that were chosen for it too.

    Returns:
        The configuration; and the variant of each ``GROUP`` or ``GROUP@PLACE``, in the order of the
        yaml's defaults list.

    Raises:
        ConfigError: an override cannot be read, or names what does not exist.
    """
    if message := unknown_setting(settings_class(verb), overrides):
        raise ConfigError(message)
    check_config_dir(config_dir)
    GlobalHydra.instance().clear()
    try:
        with searching(config_dir), initialize(config_path=None, version_base=VERSION_BASE):
            words = hydra_words(overrides)
            config = compose(config_name=verb, overrides=words, return_hydra_config=True)
    except MissingConfigException as error:
        raise ConfigError(_no_such_variant(error)) from error
    except OverrideParseException as error:
        word = str(error.override).removeprefix("++")
        raise ConfigError(
            f"cannot read {word!r} ({_one_line(error)}); give free text and paths as words or "
            "--key VALUE, which need no quoting"
        ) from error
    except ConfigError:
        raise
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise ConfigError(_one_line(_own_words(error))) from error
    with open_dict(config):
        chosen = dict(config.pop("hydra").runtime.choices)
    choices = {key: name for key, name in chosen.items() if not key.startswith("hydra/")}
    choices |= {word.partition("=")[0]: None for word in _deletions(overrides)}
    return without_groups(config, overrides), choices


def check_config_dir(config_dir: Path | None) -> None:
    """Refuse a ``--config-dir`` that is not a folder.

    Raises:
        ConfigError: there is no such folder.
    """
    if config_dir is not None and not config_dir.is_dir():
        raise ConfigError(f"--config-dir {config_dir}: no such folder")


def hydra_words(overrides: Sequence[str]) -> list[str]:
    """Write overrides so that Hydra takes every key; the typed settings refuse unknown ones.

    The message about an unknown key is then the same on every path, and names the nearest key.
    ``GROUP=null`` is left out: :func:`without_groups` applies it afterwards.
    """
    words = []
    deletions = _deletions(overrides)
    for word in overrides:
        if word in deletions:
            continue
        match = OVERRIDE.match(word)
        key = "" if match is None else match["key"]
        of_hydra = "/" in key or root_of(key) in ("", "hydra") or key.split("@")[0] in groups()
        words.append(word if of_hydra or word.startswith("~") else f"++{word.lstrip('+')}")
    return words


def without_groups(config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Set the groups to null that were overridden with ``GROUP=null``."""
    for word in _deletions(overrides):
        OmegaConf.update(config, word.partition("=")[0], None, force_add=True)
    return config


def plain(config: DictConfig) -> dict[str, Any]:
    """Resolve every interpolation and return dictionaries, lists and scalars.

    Raises:
        ConfigError: an interpolation names a key that does not exist.
    """
    try:
        container = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        raise ConfigError(_one_line(_own_words(error))) from error
    if not isinstance(container, dict):
        raise ConfigError("the configuration is not a mapping")
    return {str(key): value for key, value in container.items()}


def _deletions(overrides: Sequence[str]) -> list[str]:
    nulls = {f"{group}=null" for group in groups()}
    return [word for word in overrides if word in nulls]


def _no_such_variant(error: MissingConfigException) -> str:
    group, _, wanted = str(error.missing_cfg_file).rpartition("/")
    known = error.options or sorted(options(group) if group in groups() else ())
    if not known:
        return _one_line(error)
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{group}={wanted}: no such variant; {hint}there are: {', '.join(known)}"


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
