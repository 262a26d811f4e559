"""Conditions under which a stage runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spider.artifacts.artifact import open_artifact
from spider.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Count:
    """A condition on a count in an artifact's manifest.

    Attributes:
        artifact: the artifact's name in the workspace.
        name: the count.
        at_least: the condition fails below it.
        below: the condition fails at this count and above.
    """

    artifact: str
    name: str
    at_least: float | None = None
    below: float | None = None

    def value(self, workspace: Path) -> float:
        """Return the count.

        Raises:
            ConfigError: the artifact has no such count.
        """
        counts = open_artifact(workspace / self.artifact).counts
        if self.name not in counts:
            raise ConfigError(f"{self.artifact} has no count {self.name!r}; it has {list(counts)}")
        return float(counts[self.name])

    def holds(self, value: float) -> bool:
        """Return whether a count meets the condition."""
        enough = self.at_least is None or value >= self.at_least
        return enough and (self.below is None or value < self.below)

    def describe(self, value: float) -> str:
        """Return the condition and the count in words."""
        parts = []
        if self.at_least is not None:
            parts.append(f"at least {self.at_least:g}")
        if self.below is not None:
            parts.append(f"fewer than {self.below:g}")
        what = self.name.replace("_", " ")
        if value == 1:
            what = what.removesuffix("s")
        return f"{self.artifact} has {value:g} {what} and {' and '.join(parts)} are needed"


def first_unmet(conditions: Sequence[Count], workspace: Path) -> Count | None:
    """Return the first condition that does not hold; None if all hold."""
    for condition in conditions:
        if not condition.holds(condition.value(workspace)):
            return condition
    return None
