"""Overrides that follow from others: a settings class may choose a variant by a path.

A class does so with a static method ``implied(texts)``. It gets the text of each setting that was
typed, by its key, and returns overrides.
"""

from collections.abc import Sequence
from typing import Any

from spider.launch.command_line import DELETION, OVERRIDE, CommandLine, unquote


def add_implied(line: CommandLine, cls: type[Any]) -> None:
    """Append what a settings class concludes from the typed settings."""
    conclude = getattr(cls, "implied", None)
    if conclude is not None:
        line.overrides += conclude(texts_of(line.overrides))


def texts_of(overrides: Sequence[str]) -> dict[str, str]:
    """Return the text of each setting that overrides name, without quotes."""
    texts = {}
    for word in overrides:
        if match := OVERRIDE.match(word):
            texts[match["key"]] = unquote(word[match.end() :])
        elif match := DELETION.match(word):
            texts[match["key"]] = ""
    return texts
