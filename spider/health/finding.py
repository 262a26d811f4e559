"""The protocol of a health check, which examines one subject and reports findings."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol, runtime_checkable


class Finding(NamedTuple):
    """One line of ``spider doctor``.

    Attributes:
        level: ``ok``; ``warn``: a part is not available; ``fail``: a verb cannot work.
        subject: what was examined.
        text: what was found.
        fix: the command or action that fixes it; empty where nothing is wrong.
    """

    level: Literal["ok", "warn", "fail"]
    subject: str
    text: str
    fix: str = ""


@runtime_checkable
class HealthCheck(Protocol):
    """Examines one subject."""

    def findings(self) -> Iterator[Finding]:
        """Yield findings; a fault that the check examines is a finding, not an exception."""
