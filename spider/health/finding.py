"""What a health check is: it looks at one thing and says what it found."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol, runtime_checkable


class Finding(NamedTuple):
    """One line of ``spider doctor``.

    Attributes:
        level: ``ok``; ``warn``: works with less; ``fail``: a verb cannot work.
        subject: what was looked at.
        text: what was found.
        fix: the command or act that mends it; empty when all is well.
    """

    level: Literal["ok", "warn", "fail"]
    subject: str
    text: str
    fix: str = ""


@runtime_checkable
class HealthCheck(Protocol):
    """Looks at one thing."""

    def findings(self) -> Iterator[Finding]:
        """Yield what was found; never raises for what a check is there to find."""
