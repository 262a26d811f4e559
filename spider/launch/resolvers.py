"""The functions that a yaml may use: ``${NAME:arguments}``."""

from collections.abc import Callable
from typing import Any

from omegaconf import Node, OmegaConf

from spider.artifacts.workspace import last_workspace, workspace_of
from spider.encoders.start.names import start_of
from spider.errors import ConfigError


def register_resolvers() -> None:
    """Register our resolvers with OmegaConf.

    ``${last_workspace:}``: the workspace that a pipeline used last from this folder.
    ``${workspace_of:FOLDER}``: the workspace of the quickstart on that folder.
    ``${needed:KEY}``: the setting of that name, which a person has to give.
    ``${either:CONDITION,A,B}``: A if the condition is true, else B.
    ``${start_of:START}``: the pretrained encoder that ``start=START`` means; "" is none.
    """
    resolvers: dict[str, Callable[..., Any]] = {
        "last_workspace": last_workspace,
        "workspace_of": workspace_of,
        "needed": needed,
        "either": either,
        "start_of": start_of,
    }
    for name, resolver in resolvers.items():
        OmegaConf.register_new_resolver(name, resolver, replace=True)


def needed(key: str, *, _root_: Node) -> Any:
    """Return a setting.

    Raises:
        ConfigError: it was not given.
    """
    value = OmegaConf.select(_root_, key)  # type: ignore[arg-type]
    if value is None:
        raise ConfigError(f"setting {key} must be given: {key}=VALUE")
    return value


def either(condition: bool, first: Any, second: Any) -> Any:
    """Return the first value where the condition is true, else the second."""
    return first if condition else second
