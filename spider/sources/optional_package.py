"""Packages that a source needs for some files, and that a person may not have installed."""

import importlib.util
from typing import NamedTuple


class OptionalPackage(NamedTuple):
    """A package outside the core.

    Attributes:
        module: the name under which it is imported.
        extra: the extra of this distribution that installs it.
    """

    module: str
    extra: str

    @property
    def installed(self) -> bool:
        """Whether it can be imported."""
        return importlib.util.find_spec(self.module) is not None

    @property
    def fix(self) -> str:
        """The command that installs it."""
        return f"pip install 'spider-odqa[{self.extra}]'"
