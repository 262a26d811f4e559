"""Conditions under which a stage runs: a count, or a choice, in the manifest of an artifact."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

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

    @property
    def replaces(self) -> bool:
        """Whether the stage runs instead of another one, so that skipping it is no loss."""
        return self.below is not None

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


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A condition on a detail in an artifact's manifest, such as a choice of an earlier stage.

    Attributes:
        artifact: the artifact's name in the workspace.
        detail: the detail.
        any_of: the values for which the stage runs.
    """

    artifact: str
    detail: str
    any_of: tuple[str | bool, ...]

    #: the artifact says why; a stage that was not chosen is no loss
    replaces: ClassVar[bool] = True

    def value(self, workspace: Path) -> str | bool:
        """Return the detail.

        Raises:
            ConfigError: the artifact has no such detail.
        """
        details = open_artifact(workspace / self.artifact).details
        if self.detail not in details:
            raise ConfigError(
                f"{self.artifact} has no detail {self.detail!r}; it has {list(details)}"
            )
        value: str | bool = details[self.detail]
        return value

    def holds(self, value: str | bool) -> bool:
        """Return whether the detail meets the condition."""
        return value in self.any_of

    def describe(self, value: str | bool) -> str:
        """Return the condition and the detail in words."""
        wanted = " or ".join(map(str, self.any_of))
        return f"{self.artifact} has {self.detail} {value} and {wanted} is needed"


Condition = Count | Choice


class Unmet(NamedTuple):
    """A condition that does not hold, and why in words."""

    condition: Condition
    reason: str


def first_unmet(conditions: Sequence[Condition], workspace: Path) -> Unmet | None:
    """Return the first condition that does not hold; None if all hold."""
    for condition in conditions:
        value: Any = condition.value(workspace)
        if not condition.holds(value):
            return Unmet(condition, condition.describe(value))
    return None
