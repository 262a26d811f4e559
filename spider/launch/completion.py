"""Hydra plugins that read ``conf/`` and complete each yaml with the defaults of constructors.

Hydra sees every setting before it composes, so defaults are known to overrides, interpolations,
``--cfg`` and ``--help``, and become part of the resolved configuration.
"""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf

from spider.launch.typed.objects import TARGET, import_class
from spider.launch.typed.schema import configuration_class, default_values
from spider.launch.verbs import FOLDER, MODULE

SCHEME = "completed"
DEFAULTS = "defaults"
HEADER_BYTES = 512

_folders: list[Path] = [FOLDER]


class CompletedConfigSource(ConfigSource):
    """Yaml files in a folder; each is completed with the defaults of the class that it names."""

    @staticmethod
    def scheme() -> str:
        """Return the scheme of paths that this source serves."""
        return SCHEME

    def load_config(self, config_path: str) -> ConfigResult:
        """Load a file and complete it.

        Raises:
            ConfigLoadError: there is no such file.
            ConfigError: the file names a class that does not exist.
        """
        file = self._file(config_path)
        if not file.is_file():
            raise ConfigLoadError(f"Config not found : {file}")
        header = ConfigSource._get_header_dict(file.read_text(encoding="utf-8")[:HEADER_BYTES])
        loaded = cast(DictConfig, OmegaConf.load(file))
        return ConfigResult(
            config=complete(loaded), path=self.full_path(), provider=self.provider, header=header
        )

    def available(self) -> bool:
        """Return whether the folder exists."""
        return Path(self.path).is_dir()

    def is_group(self, config_path: str) -> bool:
        """Return whether a folder of that name exists."""
        return (Path(self.path) / config_path).is_dir()

    def is_config(self, config_path: str) -> bool:
        """Return whether a file of that name exists."""
        return self._file(config_path).is_file()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Return the names of the files or groups in a folder."""
        found: list[str] = []
        for entry in sorted((Path(self.path) / config_path).iterdir()):
            place = f"{config_path}/{entry.name}" if config_path else entry.name
            self._list_add_result(
                files=found,
                file_path=place,
                file_name=entry.name,
                results_filter=results_filter,
            )
        return sorted(set(found))

    def _file(self, config_path: str) -> Path:
        return Path(self.path) / ConfigSource._normalize_file_name(config_path)


class CompletedSearchPath(SearchPathPlugin):
    """Puts ``conf/`` and the folder of ``--config-dir`` on Hydra's search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the folders; Hydra takes a file from the first folder that has it."""
        for folder in _folders:
            search_path.append(provider="spider", path=f"{SCHEME}://{folder.resolve()}")


@cache
def register() -> None:
    """Register both plugins with Hydra, once in each process."""
    for plugin in (CompletedConfigSource, CompletedSearchPath):
        Plugins.instance().register(plugin)


@contextmanager
def searching(config_dir: Path | None) -> Iterator[None]:
    """Search a folder of the user before ``conf/`` while the body runs."""
    _folders[:] = [FOLDER] if config_dir is None else [config_dir, FOLDER]
    try:
        yield
    finally:
        _folders[:] = [FOLDER]


def complete(loaded: DictConfig) -> DictConfig:
    """Return a configuration completed with the defaults of the classes that it names.

    Settings that the file's defaults list fills in are left out.
    """
    values = OmegaConf.to_container(loaded, resolve=False)
    return loaded if not isinstance(values, dict) else OmegaConf.create(_complete(dict(values)))


def _complete(values: Mapping[Any, Any]) -> dict[Any, Any]:
    beneath: dict[str, Any] = {}
    if TARGET in values:
        beneath = {TARGET: values[TARGET]} | default_values(import_class(str(values[TARGET])))
    elif MODULE in values:
        module = importlib.import_module(str(values[MODULE]))
        beneath = default_values(configuration_class(module.main))
    composed = _composed(values.get(DEFAULTS, ()))
    below = {name: value for name, value in beneath.items() if name not in composed}
    return _merge(below, {key: _complete_within(value) for key, value in values.items()})


def _complete_within(value: Any) -> Any:
    if isinstance(value, dict):
        return _complete(value)
    return [_complete_within(item) for item in value] if isinstance(value, list) else value


def _composed(defaults: Any) -> set[str]:
    """Return the settings that the entries of a defaults list fill in."""
    places = (name for entry in defaults if isinstance(entry, dict) for name in entry)
    # an entry may also have the forms "optional db", "override db" and "db@place.name"
    return {place.split()[-1].split("@")[-1].lstrip("/").split(".")[0] for place in places}


def _merge(below: Mapping[Any, Any], above: Mapping[Any, Any]) -> dict[Any, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        variant = isinstance(value, dict) and TARGET in value
        both = isinstance(value, dict) and isinstance(under, dict) and not variant
        merged[key] = _merge(under, value) if both and under is not None else value
    return merged
