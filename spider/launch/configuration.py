"""Builds a verb's settings object from composed values."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from spider.launch.typed.content import content
from spider.launch.typed.objects import build
from spider.launch.typed.schema import FILLED_BY_LAUNCHER, parameters
from spider.launch.verbs import MODULE
from spider.printable import LINE_FEED, printable

RESOLVED = "resolved"
GIVEN = "given"


def typed_settings(cls: type[Any], values: Mapping[str, Any], overrides: Sequence[str] = ()) -> Any:
    """Build a verb's settings from composed values.

    Args:
        cls: the settings dataclass. A field ``resolved`` is filled with the plain values that
            decide the content of the output, a field ``given`` with the names of the settings that
            were overridden.
        values: the values that Hydra composed.
        overrides: the overrides of the command line.
    """
    typed = {key: value for key, value in values.items() if key != MODULE}
    names = (re.split(r"[=.@]", word.lstrip("+~"), maxsplit=1)[0] for word in overrides)
    filled = {RESOLVED: content(cls, typed), GIVEN: tuple(dict.fromkeys(names))}
    wanted = FILLED_BY_LAUNCHER & parameters(cls).keys()
    # not through build, which would turn the variants in the plain values into objects
    return dataclasses.replace(build(cls, typed), **{name: filled[name] for name in wanted})


def shown_yaml(config: Any) -> str:
    """Return a composed configuration as yaml in which no character controls a terminal."""
    from omegaconf import OmegaConf

    text = OmegaConf.to_yaml(config)
    if printable(text, keep=LINE_FEED) == text:
        return text
    # yaml can escape every character that is not ASCII, so the values stay the same
    values = OmegaConf.to_container(config, resolve=False)
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=False))
